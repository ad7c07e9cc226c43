--- One picture on the whole screen: the arrow keys flip, and the picture stays in its place.
--- JavaScript.

return [==[
var flip = { open: false, p: null, c: null };
(function () {
  var box = el("div", "flip"), stage = el("div", "stage"), img = el("img");
  var last = null, before = "";
  var name = el("h2", "path"), where = el("span", "why"), foot = el("footer");
  box.hidden = true;
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-modal", "true");
  box.tabIndex = -1;
  img.decoding = "async";
  var header = add(el("header"), name, where,
    button("", "Copy prompt", "", function () { copy(said()); }),
    button("", "Close", "Close (Esc)", function () { flip.hide(); }));
  add(box, header, add(stage, img), foot);
  flip.box = box;

  function said() { return (flip.c && flip.c.prompt) || flip.p.prompt || ""; }
  function candidates() { return flip.p.candidates.filter(function (c) { return c.src; }); }
  function near(p, by) { return shown[(shown.indexOf(p) + by + shown.length) % shown.length]; }

  /* Pictures along an axis: all else the same as of this one. */
  function along(which) {
    var name = axis[which], here = { p: flip.p, c: flip.c };
    var rest = AXES.filter(function (n) {
      return n !== name && n !== "picture" && D.axes.concat("candidate").indexOf(n) >= 0;
    });
    return itemsOf(shown).filter(function (item) {
      return name === "picture" || rest.every(function (n) {
        return valueOf(item, n) === valueOf(here, n);
      }) && (D.axes.indexOf(name) >= 0 || item.p === flip.p);
    });
  }
  function step(which, by) {
    if (view === "grid") {
      var line = along(which), at = line.findIndex(function (item) {
        return item.p === flip.p && (item.c || {}).n === (flip.c || {}).n;
      });
      var item = line[(at + by + line.length) % line.length];
      if (item) flip.show(item.p, item.c);
      return;
    }
    var list = candidates(), i = list.indexOf(flip.c);
    if (which === "x" && view === "review" && i + by >= 0 && i + by < list.length)
      return flip.show(flip.p, list[i + by]);
    var p = near(flip.p, by), there = p.candidates.filter(function (c) { return c.src; });
    var same = there.find(function (c) { return flip.c && c.n === flip.c.n; });
    flip.show(p, which === "y" && same || (view === "sheet" ? best(p)
      : by > 0 ? there[0] : there[there.length - 1]) || null);
  }
  function ahead() { /* the next ones, so that no flip waits for the disk */
    [near(flip.p, 1), near(flip.p, -1), flip.p].forEach(function (p) {
      p.candidates.forEach(function (c) { if (c.src) new Image().src = c.src; });
    });
  }
  flip.draw = function () {
    var p = flip.p, c = flip.c, old = stage.querySelector(".todo-shot");
    if (old) old.remove();
    name.textContent = p.path;
    where.textContent = (c ? "candidate " + c.n + " of " + p.candidates.length + " \u00b7 " : "")
      + (p.at + 1) + " / " + D.pictures.length;
    img.hidden = !c;
    if (c && img.getAttribute("src") !== c.src) { img.src = c.src; img.alt = p.path; }
    if (!c) stage.appendChild(missing(p));
    foot.textContent = "";
    if (c) {
      var e = acts(p, c);
      drawActs(e, box, p, c);
      foot.appendChild(e);
    }
    add(foot, marked("say", said(), before || (c ? beside(p, c) : "")));
    if (!c && p.command) foot.appendChild(command(p.command));
  };
  flip.show = function (p, c) {
    before = flip.open && (flip.p !== p || flip.c !== c) ? said() : "";
    if (!flip.open) last = document.activeElement;
    flip.p = p;
    flip.c = c;
    flip.open = true;
    box.hidden = false;
    document.documentElement.style.overflow = "hidden";
    flip.draw();
    box.focus();
    setTimeout(ahead, 30);
  };
  flip.hide = function () {
    flip.open = false;
    box.hidden = true;
    document.documentElement.style.overflow = "";
    if (last && last.isConnected) last.focus();
  };
  flip.key = function (key) {
    if (key === "Escape") flip.hide();
    else if (key === "ArrowRight") step("x", 1);
    else if (key === "ArrowLeft") step("x", -1);
    else if (key === "ArrowDown") step("y", 1);
    else if (key === "ArrowUp") step("y", -1);
    else return false;
    return true;
  };
  stage.addEventListener("click", function (e) {
    if (e.target.closest("button")) return;
    step("x", e.clientX < innerWidth / 3 ? -1 : 1);
  });
})();
]==]
