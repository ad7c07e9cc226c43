--- Which words of a prompt differ from another's. JavaScript.

return [==[
/* For each word of b: is it in the longest common sequence with a? */
function common(a, b) {
  var i, j, rows = [], kept = b.map(function () { return false; });
  if (a.length * b.length > 160000) { /* long ones: without their order */
    var there = new Set(a);
    return b.map(function (word) { return there.has(word); });
  }
  for (i = a.length; i >= 0; i--) {
    rows[i] = new Uint16Array(b.length + 1);
    for (j = b.length - 1; j >= 0 && i < a.length; j--)
      rows[i][j] = a[i] === b[j] ? rows[i + 1][j + 1] + 1
        : Math.max(rows[i + 1][j], rows[i][j + 1]);
  }
  for (i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) { kept[j] = true; i++; j++; }
    else if (rows[i + 1][j] >= rows[i][j + 1]) i++;
    else j++;
  }
  return kept;
}
function split(text) { return (text || "").split(/\s+/).filter(Boolean); }

/* A text, with the words marked that the other one does not have. */
function marked(name, text, other) {
  var p = el("p", name), words = split(text), run = null;
  if (!other || other === text) { p.textContent = text; return p; }
  common(split(other), words).forEach(function (same, i) {
    if (i) p.appendChild(document.createTextNode(" "));
    if (same) { p.appendChild(document.createTextNode(words[i])); return; }
    run = el("mark", "", words[i]);
    p.appendChild(run);
  });
  return p;
}

/* What a candidate's prompt is compared with: the first one's, or what was asked for. */
function beside(p, c) {
  var first = p.candidates[0];
  if (first && first !== c && first.prompt) return first.prompt;
  var second = p.candidates[1];
  if (first === c && second && second.prompt && second.prompt !== c.prompt) return second.prompt;
  return p.prompt;
}
]==]
