--- The views: review, grid, contact sheet; the bar above them. JavaScript.

return [==[
var view = D.view, shown = D.pictures, only = "all", axis = { x: "", y: "", page: "" }, leaf = 0;
var main = el("main"), bar = el("div", "top"), search = el("input"), out, title, drawing = 0;

function matches(p) {
  var q = search.value.trim().toLowerCase();
  if (only === "open" && !isOpen(p)) return false;
  if (only === "missing" && !p.cost) return false;
  if (!q) return true;
  if (p.text === undefined) p.text = [p.path, p.prompt, p.state].concat(
    p.candidates.map(function (c) { return c.prompt || ""; })).join("\n").toLowerCase();
  return q.split(/\s+/).every(function (word) { return p.text.indexOf(word) >= 0; });
}

/* Makes the rest in pieces, so that nobody's scrolling waits for it. */
function inPieces(list, parent, make) {
  var turn = ++drawing, i = 0;
  function some(limit, most) {
    var part = document.createDocumentFragment(), until = performance.now() + limit;
    for (var k = 0; i < list.length && k < most && (k === 0 || performance.now() < until); k++)
      part.appendChild(make(list[i++]));
    parent.appendChild(part);
  }
  function later() {
    if (turn !== drawing || i >= list.length) return;
    some(6, 40);
    setTimeout(later, 4);
  }
  some(40, 12);
  setTimeout(later, 30);
}

function best(p) {
  var found = null;
  p.candidates.forEach(function (c) {
    if (c.src && (!found || isAccepted(p, c))) found = c;
  });
  return found;
}
function small(p, c, cap) {
  var f = el("figure", "tile");
  return add(f, c ? shot(p, c, view === "sheet") : missing(p, view === "sheet"),
    el("figcaption", "cap", cap));
}
function drawReview() {
  cards = [];
  inPieces(shown, main, function (p) {
    cards[p.at] = card(p);
    return cards[p.at].box;
  });
}
function drawSheet() {
  var e = el("div", "sheet");
  main.appendChild(e);
  cards = [];
  inPieces(shown, e, function (p) { return small(p, best(p), p.path); });
}

var NONE = "\u2013"; /* what is not on an axis */

/* The value of a picture, or of one of its candidates, on an axis. */
function valueOf(item, name) {
  if (name === "candidate") return item.c ? String(item.c.n) : "1";
  if (name === "picture") return item.p.path;
  return has(item.p.axes, name) ? item.p.axes[name] : NONE;
}
function valuesOf(items, name) {
  var seen = new Set(), list = [];
  if (!name) return [""];
  items.forEach(function (item) {
    var value = valueOf(item, name);
    if (!seen.has(value)) { seen.add(value); list.push(value); }
  });
  list.sort(function (a, b) { return (a === NONE) - (b === NONE); }); /* the rest as it came */
  return list;
}
function itemsOf(list) {
  var items = [];
  list.forEach(function (p) {
    var there = p.candidates.filter(function (c) { return c.src; });
    there.forEach(function (c) { items.push({ p: p, c: c }); });
    if (!there.length) items.push({ p: p, c: null });
  });
  return items;
}
function firstAxes() {
  var names = D.axes.concat(["candidate", "picture"]);
  axis.x = D.axes[0] || "candidate";
  axis.y = D.axes[1] || "picture";
  return names;
}
var AXES = firstAxes();
function chooser(which, label) {
  var s = el("select");
  (which === "page" ? [""] : []).concat(AXES).forEach(function (name) {
    var o = el("option", "", name || "\u2013");
    o.value = name;
    o.selected = axis[which] === name;
    s.appendChild(o);
  });
  s.addEventListener("change", function () { axis[which] = s.value; leaf = 0; draw(); });
  return add(el("label", "", label), s);
}
function pager(pages) {
  if (pages.length < 2) return null;
  function go(by) { leaf = (leaf + by + pages.length) % pages.length; draw(); }
  return add(el("label", "", axis.page + ": " + pages[leaf] + "  "),
    button("", "\u2190", "Page before", function () { go(-1); }),
    button("", "\u2192", "Next page", function () { go(1); }));
}
var MOST = 40; /* columns and rows of one page */
function drawGrid() {
  var items = itemsOf(shown), pages = valuesOf(items, axis.page), cells = new Map();
  leaf = Math.min(leaf, pages.length - 1);
  var tools = add(el("div", "bar"), chooser("x", "Across"), chooser("y", "Down"),
    chooser("page", "Pages"), pager(pages));
  tools.style.marginBottom = "1rem";
  items = items.filter(function (i) {
    return !axis.page || valueOf(i, axis.page) === pages[leaf];
  });
  var xs = valuesOf(items, axis.x).slice(0, MOST), ys = valuesOf(items, axis.y);
  items.forEach(function (i) {
    var key = JSON.stringify([valueOf(i, axis.x), valueOf(i, axis.y)]);
    cells.set(key, (cells.get(key) || []).concat([i]));
  });
  var t = el("table"), h = add(el("tr"), el("th", "", axis.y)), body = el("tbody");
  xs.forEach(function (x) { h.appendChild(el("th", "", x)); });
  add(main, tools, add(el("div", "gridwrap"), add(t, add(el("thead"), h), body)));
  inPieces(ys, body, function (y) {
    var tr = add(el("tr"), el("th", "", y));
    xs.forEach(function (x) {
      var td = el("td"), there = cells.get(JSON.stringify([x, y])) || [];
      there.slice(0, 4).forEach(function (i) { td.appendChild(small(i.p, i.c, "")); });
      tr.appendChild(td);
    });
    return tr;
  });
}

function draw() {
  shown = D.pictures.filter(matches);
  main.textContent = "";
  drawing++;
  head();
  if (!shown.length) main.appendChild(el("p", "none", "No picture is like that."));
  else if (view === "grid") drawGrid();
  else if (view === "sheet") drawSheet();
  else drawReview();
}
function segment(list, now, choose) {
  var e = el("div", "seg");
  list.forEach(function (one) {
    var b = button("", one[1], "", function () { choose(one[0]); });
    b.dataset.value = one[0];
    e.appendChild(b);
  });
  return e;
}
function press(e, value) {
  e.querySelectorAll("button").forEach(function (b) {
    b.setAttribute("aria-pressed", b.dataset.value === value);
  });
}
function show(name) { view = name; scrollTo(0, 0); draw(); }
var views = segment([["review", D.decides ? "Review" : "List"], ["grid", "Grid"],
  ["sheet", "Sheet"]], view, show);
var filters = segment([["all", "All"], ["open", "To decide"], ["missing", "Not made"]], only,
  function (name) { only = name; draw(); });
function head() {
  press(views, view);
  press(filters, only);
  title.lastChild.textContent = shown.length === D.pictures.length
    ? D.pictures.length + " pictures" : shown.length + " of " + D.pictures.length;
  if (!out) return;
  out.disabled = !count();
  out.textContent = !count() ? "Nothing decided"
    : "Save " + count() + (count() === 1 ? " decision" : " decisions");
}
]==]
