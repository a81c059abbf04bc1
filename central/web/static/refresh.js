// Reads the page again every few seconds and puts the new <main> and foot in place of the old ones. Without this file the page
// does the same by <meta refresh>. It never touches the page while the keyboard is in it or some text is marked.

const main = document.getElementById("main");
const foot = document.getElementById("foot");
const seconds = Number(main.dataset.refreshS);

function isBusy() {
  return document.hidden || document.querySelector("main :focus-visible, footer :focus-visible") !== null || !getSelection().isCollapsed;
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
    if (answer.redirected) return location.reload(); // the session is over: sign in again
    if (!answer.ok) throw new Error(`expected 200, got ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (isBusy()) return;
    main.replaceChildren(...page.getElementById("main").childNodes);
    foot.replaceChildren(...page.getElementById("foot").childNodes);
  } catch {
    document.getElementById("stale").hidden = false;
  }
}

history.replaceState(null, "", address());
setInterval(refresh, seconds * 1000);
