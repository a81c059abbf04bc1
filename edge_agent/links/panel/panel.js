"use strict";
// The panel draws the state it is told, in one of two languages, and says so when it is told nothing any more.
const WORDS = {
  zh: {
    who: "当前人员", nobody: "请扫工牌", last: "最近扫码", none: "尚无扫码", next: "接下来可扫", history: "扫码记录",
    claims: "待认领（未扫码取用）", noClaims: "没有待认领的取用", proposed: "扫认领码认领标黄项，本班内扫患者码亦可",
    count: "盘点清单", counted: "已盘", expected: "账面", recount: "复盘", duties: "职责", open: "未结差异",
    pending: "待上传", lost: "与代理程序的连接中断", emergency: "应急取用", shadow: "影子运行", "first-count": "首次盘点",
    normal: "自主领用正常", warned: "自主领用警告", suspended: "自主领用已暂停", rectifying: "整改中", stale: "策略已过期",
    daily_check: "每日清点", monthly_count: "每月盘库", weekly_reconcile: "每周对账", shift_end: "交班", day_end: "日终", done: "已完成", late: "迟做", missed: "漏做",
    patient: "已登记患者", taken: "已取", lot: "批号", other: "EN", nothing: "全部已盘", pieces: "件",
  },
  en: {
    who: "Who is here", nobody: "Scan your badge", last: "Last scan", none: "nothing scanned yet", next: "What may be scanned next",
    history: "Scans", claims: "Waits to be claimed", noClaims: "nothing waits to be claimed",
    proposed: "CLAIM claims what is marked; within the shift a patient's code does too", count: "Count list", counted: "counted", expected: "book",
    recount: "again", duties: "Duties", open: "open discrepancies", pending: "not yet at central",
    lost: "The agent does not answer", emergency: "emergency", shadow: "shadow", "first-count": "first count",
    normal: "may draw freely", warned: "warned", suspended: "suspended: deliveries need approval", rectifying: "being put right",
    stale: "policy out of date", daily_check: "daily check", monthly_count: "monthly count", weekly_reconcile: "weekly reconcile", shift_end: "shift end", day_end: "day's end",
    done: "done", late: "late", missed: "missed", patient: "patient noted", taken: "taken", lot: "lot", other: "中文",
    nothing: "everything is counted", pieces: "pcs",
  },
};
const MARKS = { ok: "✓", look: "!", no: "✕" };
let language = "zh", state = null;

const at = (id) => document.getElementById(id);
const word = (name) => WORDS[language][name] ?? name;

function make(tag, text, kind) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function fill(id, ...parts) {
  at(id).replaceChildren(...parts);
}

function named(one) {
  return one[`name_${language}`] || one.name_zh || one.name_en || one.item;
}

function drawWho() {
  const people = state.visits.map((visit) => {
    const line = make("div", visit.actor || word("emergency"), "person");
    const more = [visit[`doing_${language}`]];
    if (visit.taken) more.push(`${word("taken")} ${visit.taken}`);
    if (visit.patient) more.push(word("patient"));
    if (visit.emergency && visit.actor) more.push(word("emergency"));
    line.append(make("small", more.join(" · ")));
    return line;
  });
  fill("who", make("h2", word("who")), ...(people.length ? people : [make("div", word("nobody"), "nobody")]));
}

function drawLast() {
  const [last] = state.answers;
  at("last").className = last ? last.beep : "";
  if (!last) return fill("last", make("h2", word("last")), make("div", word("none"), "said"));
  const parts = [make("h2", `${word("last")} ${last.time}`), make("div", `${MARKS[last.beep]} ${last[language]}`, "said")];
  if (last.item) parts.push(make("div", last.item, "name"));
  fill("last", ...parts);
}

function drawNext() {
  const chips = make("div", undefined, "chips");
  for (const one of state.next.filter((each) => each.main)) chips.append(make("span", one[language], "chip"));
  const rest = state.next.filter((each) => !each.main).map((each) => each[language]);
  fill("next", make("h2", word("next")), chips, make("p", rest.join(language === "zh" ? "、" : ", ")));
}

function drawHistory() {
  const list = make("ol");
  for (const one of state.answers.slice(1)) {
    const line = make("li", undefined, one.beep);
    line.append(make("span", MARKS[one.beep], "beep"), make("time", one.time), make("span", one[language]));
    list.append(line);
  }
  fill("history", make("h2", word("history")), list);
  while (list.scrollHeight > list.clientHeight && list.lastChild) list.lastChild.remove();  // no half line
}

function claims() {
  const list = make("ul");
  for (const one of state.unclaimed) {
    const line = make("li", undefined, one.proposed ? "proposed" : "");
    const which = one.unit ? ` #${one.unit.slice(-4)}` : "";
    line.append(make("span", `${named(one)} ${word("lot")} ${one.lot || "?"}${which}`), make("time", one.time));
    list.append(line);
  }
  const hint = make("p", state.unclaimed.length ? word("proposed") : word("noClaims"));
  const box = make("div");
  box.append(make("h2", word("claims")), hint, list);
  return box;
}

function count() {
  const box = make("div"), list = make("ul");
  const blind = state.count.lines.some((one) => one.book === null);
  const columns = blind ? word("counted") : `${word("counted")} / ${word("expected")}`;
  box.append(make("h2", `${word("count")} ${state.count.done}/${state.count.of}`), make("p", columns, "columns"));
  for (const one of state.count.lines) {
    const line = make("li", undefined, one.recount ? "recount" : "");
    const book = one.book === null ? "" : ` / ${one.book}`;
    const qty = make("b", `${one.recount ? word("recount") + " " : ""}${one.counted}${book}`, "qty");
    line.append(make("span", `${named(one)} ${one.lot || "?"} ${one.unit ? "#" + one.unit.slice(-4) : ""}`), qty);
    list.append(line);
  }
  if (!state.count.lines.length) box.append(make("p", word("nothing")));
  box.append(list);
  return box;
}

function duties() {
  const box = make("div"), list = make("ul");
  for (const one of state.duties) {
    const line = make("li");
    line.append(make("span", `${word(one.duty)} ${one.due}`), make("b", word(one.state), one.state));
    list.append(line);
  }
  box.append(make("h2", word("duties")), list);
  return box;
}

function draw() {
  if (!state) return;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  at("ward").textContent = state.ward;
  at("clock").textContent = state.now;
  at("language").textContent = word("other");
  const mode = state.mode === "live" ? [] : [word(state.mode)];
  at("permit").textContent = [word(state.permit), ...(state.stale ? [word("stale")] : []), ...mode].join(" · ");
  at("permit").className = state.stale ? "stale" : state.permit;
  drawWho(); drawLast(); drawNext(); drawHistory();
  fill("side", ...(state.count ? [count()] : []), claims(), ...(state.duties.length ? [duties()] : []));
  fill("foot", make("span", `${word("pending")} ${state.pending}`), make("span", `${word("open")} ${state.discrepancies}`));
}

function listen() {
  const events = new EventSource("/events");
  events.onmessage = (message) => {
    state = JSON.parse(message.data);
    document.body.classList.remove("lost");
    draw();
  };
  events.onerror = () => {
    document.body.classList.add("lost");
    fill("foot", make("span", word("lost"), "bad"));
  };
}

at("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  draw();
});
listen();
