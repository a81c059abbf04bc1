// Says how many lines are chosen and what they come to, chooses all or none without leaving the page, and lets Enter go to
// the next quantity. Without this file the server does the first two, and Enter changes nothing. It approves nothing itself.

const form = document.getElementById("lines");
const sum = document.getElementById("chosen-sum");
const yuan = new Intl.NumberFormat("zh-CN", { style: "currency", currency: "CNY" });
const UNITS_A_YUAN = 10_000;

function tell() {
  const chosen = [...form.querySelectorAll("input[name=chosen]:checked")];
  const cost = chosen.reduce((whole, box) => {
    const row = box.closest("tr");
    return whole + Number(row.dataset.price) * Number(row.querySelector("input[name=qty]").value);
  }, 0);
  sum.textContent = sum.dataset.words.replace("{n}", chosen.length).replace("{y}", yuan.format(cost / UNITS_A_YUAN));
}

form.addEventListener("input", tell);
form.addEventListener("click", (event) => {
  const act = event.target.closest("button[data-choose]");
  if (act === null) return;
  event.preventDefault();
  for (const box of form.querySelectorAll("input[name=chosen]")) box.checked = act.value === "all";
  tell();
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.name !== "qty") return;
  event.preventDefault();
  const fields = [...form.querySelectorAll("input[name=qty]")];
  const next = fields[fields.indexOf(event.target) + 1];
  if (next === undefined) return;
  next.focus();
  next.select();
});
tell();
