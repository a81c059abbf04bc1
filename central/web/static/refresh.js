// Reads the page again every few seconds and puts the new <main> in place of the old one. Without this file the page
// does the same by <meta refresh>. It never touches the page while the keyboard is in it or some text is marked.

const main = document.getElementById("main");
const seconds = Number(main.dataset.refreshS);

function isBusy() {
  return document.hidden || main.querySelector(":focus-visible") !== null || !getSelection().isCollapsed;
}

function address() {
  const here = new URL(location.href);
  here.searchParams.delete("said"); // the answer to a button is said once
  here.searchParams.delete("order");
  return here;
}

async function refresh() {
  if (isBusy()) return;
  try {
    const answer = await fetch(address(), { cache: "no-store" });
    if (!answer.ok) throw new Error(`expected 200, got ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!isBusy()) main.replaceChildren(...page.getElementById("main").childNodes);
  } catch {
    document.getElementById("stale").hidden = false;
  }
}

history.replaceState(null, "", address());
setInterval(refresh, seconds * 1000);
