--- A candidate, a picture that is not made yet, and a picture with all that belongs to it.
--- JavaScript.

return [==[
var cards = []; /* by the picture's place: { box, draw } */
function redraw(p) {
  var card = cards[p.at];
  if (card) card.draw();
  if (flip.open) flip.draw();
  head();
}
function image(c, p) {
  var img = el("img");
  img.loading = "lazy";
  img.decoding = "async";
  img.alt = p.path + ", candidate " + c.n;
  img.src = c.src;
  img.draggable = false;
  return img;
}
function ratioOf(p) {
  var both = /^(\d+):(\d+)$/.exec(p.ratio || "");
  return both ? both[1] + " / " + both[2] : "1";
}
function shot(p, c, square) {
  var b = button("shot", "", "Open " + p.path + ", candidate " + c.n, function () {
    flip.show(p, c);
  });
  b.dataset.at = p.at;
  b.dataset.n = c.n;
  if (!square) b.style.aspectRatio = ratioOf(p);
  return add(b, image(c, p), p.candidates.length > 1 ? el("span", "num", c.n) : null);
}
/* Not made yet: what it costs; opened, the command that makes it. */
function missing(p, square) {
  var e = button("shot todo-shot", "", "Not made: " + p.path, function () {
    if (!flip.open) flip.show(p, null);
  });
  e.dataset.at = p.at;
  if (!square) e.style.aspectRatio = ratioOf(p);
  add(e, el("b", "", p.cost ? p.cost + " credits" : "Not here"),
    el("span", "", p.cost ? "not made yet" : p.reason));
  return e;
}
function stars(p, c) {
  var e = el("span", "stars");
  for (var i = 1; i <= 5; i++) (function (mark) {
    e.appendChild(button("", "\u2605", "Mark " + mark, function () { rate(p, c, mark); }));
  })(i);
  return e;
}
function acts(p, c) {
  var e = el("div", "acts");
  if (D.decides) add(e,
    button("yes", "Accept", "", function () { accept(p, c); }),
    button("nay", "Reject", "", function () { reject(p, c); }));
  return add(e, stars(p, c));
}
function drawActs(e, b, p, c) {
  var yes = isAccepted(p, c), nay = isRejected(p, c), one = chosen[p.path];
  b.setAttribute("aria-current", yes);
  b.classList.toggle("no", nay && !yes);
  if (D.decides) {
    e.querySelector(".yes").setAttribute("aria-pressed", yes);
    e.querySelector(".nay").setAttribute("aria-pressed", nay && !yes);
  }
  e.querySelectorAll(".stars button").forEach(function (star, i) {
    star.classList.toggle("on", !!one && (one.marks[c.n] || 0) > i);
  });
}
function tile(p, c, list) {
  var b = shot(p, c), e = acts(p, c), f = el("figure", "tile");
  list.push(function () { drawActs(e, b, p, c); });
  return add(f, b, e, c.prompt ? marked("say", c.prompt, beside(p, c)) : null);
}
var LOOKS = { unreviewed: "todo", "new": "todo", fresh: "good", pinned: "good", gone: "bad",
  failed: "bad", unknown: "bad", edited: "bad", stale: "todo" };
var WORDS = { unreviewed: "to decide", fresh: "accepted", "new": "not made",
  in_flight: "under way" };
function command(text) {
  return add(el("div", "cmd"), el("code", "", text),
    button("", "Copy", "Copy the command", function () { copy(text); }));
}
function card(p) {
  var box = el("section", "pic"), top = el("div", "head"), row = el("div", "row"), list = [];
  var pill = el("span", "pill " + (LOOKS[p.state] || ""), WORDS[p.state] || p.state);
  add(top, el("h2", "path", p.path), D.decides ? pill : null, el("span", "why", p.reason));
  p.candidates.forEach(function (c) { if (c.src) row.appendChild(tile(p, c, list)); });
  if (p.cost || !row.firstChild) row.appendChild(missing(p));
  add(box, top, row);
  if (!p.candidates.some(function (c) { return c.prompt; }) && p.prompt) {
    var say = el("p", "say", p.prompt);
    say.style.marginTop = ".8rem";
    box.appendChild(say);
  }
  if (p.command) box.appendChild(command(p.command));
  var made = { box: box, draw: function () {
    list.forEach(function (f) { f(); });
    if (p.state !== "unreviewed") return;
    pill.className = "pill " + (isOpen(p) ? "todo" : "good");
    pill.textContent = isOpen(p) ? "to decide" : "decided";
  } };
  made.draw();
  return made;
}
]==]
