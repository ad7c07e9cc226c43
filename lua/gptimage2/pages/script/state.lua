--- The page's data, what somebody has decided so far, and what comes of that as a file. JavaScript.

return [==[
var D = JSON.parse(document.getElementById("data").textContent);
D.pictures.forEach(function (p, i) { p.at = i; });

/* An element: its text goes in as text, whatever it says. */
function el(tag, name, text) {
  var e = document.createElement(tag);
  if (name) e.className = name;
  if (text !== undefined && text !== null) e.textContent = text;
  return e;
}
function add(parent) {
  for (var i = 1; i < arguments.length; i++) if (arguments[i]) parent.appendChild(arguments[i]);
  return parent;
}
function button(name, text, label, act) {
  var b = el("button", name, text);
  b.type = "button";
  if (label) { b.setAttribute("aria-label", label); b.title = label; }
  b.addEventListener("click", act);
  return b;
}

/* A dictionary by names that people chose: "__proto__" is one, too. */
function dictionary() { return Object.create(null); }
function has(names, name) { return Object.prototype.hasOwnProperty.call(names, name); }

/* Decisions: path -> {accept: n, reject: {n: true}, marks: {n: 1 to 5}}. */
var KEY = "gptimage2:" + D.title + ":" + D.pictures.length;
var chosen = dictionary();
try {
  var kept = JSON.parse(localStorage.getItem(KEY) || "{}");
  D.pictures.forEach(function (p) {
    var one = has(kept, p.path) && kept[p.path];
    if (one && one.hash === p.hash && one.reject && one.marks) chosen[p.path] = one;
  });
} catch (e) { /* no storage here: then a reload forgets */ }
function of(p) {
  if (!chosen[p.path]) chosen[p.path] = { hash: p.hash, reject: {}, marks: {} };
  return chosen[p.path];
}
function changed(p) {
  try { localStorage.setItem(KEY, JSON.stringify(chosen)); } catch (e) { /* as above */ }
  redraw(p);
}
function accept(p, c) {
  if (!D.decides || !c || !c.src) return;
  var one = of(p);
  one.accept = one.accept === c.n ? undefined : c.n;
  delete one.reject[c.n];
  changed(p);
}
function reject(p, c) {
  if (!D.decides || !c || !c.src) return;
  var one = of(p);
  if (one.reject[c.n]) delete one.reject[c.n]; else one.reject[c.n] = true;
  if (one.accept === c.n) one.accept = undefined;
  changed(p);
}
function rate(p, c, mark) {
  if (!c || !c.src) return;
  var one = of(p);
  if (one.marks[c.n] === mark) delete one.marks[c.n]; else one.marks[c.n] = mark;
  changed(p);
}
function isAccepted(p, c) {
  var one = chosen[p.path];
  return one && one.accept !== undefined ? one.accept === c.n : !!c.accepted;
}
function isRejected(p, c) {
  var one = chosen[p.path];
  if (one && one.accept === c.n) return false;
  return !!(one && one.reject[c.n]) || !!c.rejected;
}
function isOpen(p) {
  var one = chosen[p.path];
  return p.state === "unreviewed" && !(one && one.accept !== undefined);
}

/* decisions.json, of version 1. */
function decisions() {
  var made = {
    version: 1,
    accept: dictionary(), reject: dictionary(), marks: dictionary(), hashes: dictionary()
  };
  D.pictures.forEach(function (p) {
    var one = chosen[p.path];
    if (!one) return;
    var away = Object.keys(one.reject).map(Number);
    if (one.accept !== undefined) made.accept[p.path] = one.accept;
    if (away.length) made.reject[p.path] = away;
    if (Object.keys(one.marks).length) made.marks[p.path] = one.marks;
    if (one.accept !== undefined || away.length) made.hashes[p.path] = p.hash;
  });
  return made;
}
function count() {
  var made = decisions();
  return Object.keys(made.accept).length + Object.keys(made.reject).length;
}
function save() {
  var text = JSON.stringify(decisions(), null, 2) + "\n";
  var a = el("a");
  a.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  a.download = "decisions.json";
  document.body.appendChild(a);
  a.click();
  a.remove();
  toast("decisions.json saved: gptimage2 accept decisions.json");
}

var note = el("div", "toast"), noteEnds;
note.hidden = true;
note.setAttribute("role", "status");
function toast(text) {
  note.textContent = text;
  note.hidden = false;
  clearTimeout(noteEnds);
  noteEnds = setTimeout(function () { note.hidden = true; }, 2200);
}
function copyOld(text) {
  var area = el("textarea");
  area.value = text;
  document.body.appendChild(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
function copy(text) {
  if (navigator.clipboard && navigator.clipboard.writeText)
    navigator.clipboard.writeText(text).catch(function () { copyOld(text); });
  else copyOld(text);
  toast("Copied");
}
]==]
