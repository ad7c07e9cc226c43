--- The keyboard, and the beginning. JavaScript.

return [==[
function focused() {
  if (flip.open) return { p: flip.p, c: flip.c };
  var b = document.activeElement;
  if (!b || !b.classList.contains("shot") || b.dataset.at === undefined) return null;
  var p = D.pictures[b.dataset.at];
  return { p: p, c: p.candidates.find(function (c) { return String(c.n) === b.dataset.n; }) };
}
/* To the tile that lies next in that direction. */
function move(dx, dy) {
  var list = Array.from(main.querySelectorAll("button.shot")), now = document.activeElement;
  var at = list.indexOf(now), from = at < 0 ? null : now.getBoundingClientRect(), bestOne, least;
  if (!from) bestOne = list.find(function (b) { return b.getBoundingClientRect().bottom > 120; });
  else list.slice(Math.max(at - 60, 0), at + 60).forEach(function (b) {
    var r = b.getBoundingClientRect(), x = r.left - from.left, y = r.top - from.top;
    var along = dx ? x * dx : y * dy, off = Math.abs(dx ? y : x);
    if (b === now || along <= 4 || dx && off > r.height / 2) return;
    if (bestOne === undefined || along + 3 * off < least) { bestOne = b; least = along + 3 * off; }
  });
  if (!bestOne && from && dx) bestOne = list[at + dx];
  if (!bestOne) return;
  bestOne.focus({ preventScroll: true });
  bestOne.scrollIntoView({ block: "nearest" });
}
var MOVES = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
function decide(key, at) {
  if (key === "a") accept(at.p, at.c);
  else if (key === "r") reject(at.p, at.c);
  else if (key === "c") copy((at.c && at.c.prompt) || at.p.prompt);
  else if (/^[1-5]$/.test(key)) rate(at.p, at.c, Number(key));
  else return false;
  return true;
}
function onKey(e) {
  var key = e.key, at = focused(), done = false;
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
    if (key === "Escape") e.target.blur();
    return;
  }
  if (flip.open) done = flip.key(key);
  else if (MOVES[key]) { move(MOVES[key][0], MOVES[key][1]); done = true; }
  else if (key === "/") { search.focus(); done = true; }
  else if (key === "v") { show("review"); done = true; }
  else if (key === "g") { show("grid"); done = true; }
  else if (key === "s") { show("sheet"); done = true; }
  if (!done && at) done = decide(key, at);
  if (done) e.preventDefault();
}
function help() {
  var e = el("p", "keys");
  [["\u2190 \u2191 \u2193 \u2192", "go, and flip"], ["Enter", "whole screen"], ["a", "accept"],
    ["r", "reject"], ["1 to 5", "mark"], ["c", "copy the prompt"], ["/", "filter"],
    ["v g s", "views"]].forEach(function (one) {
    if (!D.decides && /^[ar]$/.test(one[0])) return;
    e.appendChild(add(el("span"), el("kbd", "", one[0]), document.createTextNode(" " + one[1])));
  });
  return e;
}
search.type = "search";
search.placeholder = "Filter by name or prompt";
search.setAttribute("aria-label", "Filter");
search.addEventListener("input", draw);
title = add(el("h1", "", D.title), el("small", "", ""));
if (D.decides) out = button("solid", "", "", save);
add(bar, add(el("div", "bar"), title, views, out),
  add(el("div", "bar"), search, D.decides ? filters : null));
add(document.body, bar, main, add(el("footer", "foot"), help()), flip.box, note);
document.addEventListener("keydown", onKey);
draw();
]==]
