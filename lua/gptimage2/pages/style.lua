--- How a page looks: calm, in the colours that the reader's system likes. Pure CSS; its hash is in
--- the page's policy.

return [[
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#22211e;--soft:#6d6a63;
--line:#e6e3dc;--well:#f0eee8;--accent:#3d5a80;--on:#fff;--good:#3f7a55;--bad:#a8483c;
--mark:#fbe7a6;--shade:0 1px 2px rgba(40,36,28,.06),0 8px 24px rgba(40,36,28,.06);--r:14px}
@media (prefers-color-scheme:dark){:root{--paper:#161614;--card:#1f1f1c;--ink:#ecebe6;
--soft:#9b988f;--line:#31302c;--well:#262622;--accent:#9db8d9;--on:#14181d;--good:#8cc7a1;
--bad:#e39a8e;--mark:#5c4d16;--shade:0 1px 2px rgba(0,0,0,.4),0 8px 24px rgba(0,0,0,.25)}}
*{box-sizing:border-box}
html{scroll-padding-top:7.5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
button,input,select{font:inherit;color:inherit}
button{cursor:pointer;background:none;border:1px solid var(--line);border-radius:999px;
padding:.3rem .85rem;line-height:1.4;transition:background .12s,border-color .12s}
button:hover{border-color:var(--soft)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
code,.path{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.top{position:sticky;top:0;z-index:5;background:var(--paper);border-bottom:1px solid var(--line);
padding:1rem clamp(1rem,4vw,3rem) .8rem}
.bar{display:flex;flex-wrap:wrap;gap:.6rem .9rem;align-items:center}
.bar+.bar{margin-top:.7rem}
h1{font-size:1.15rem;font-weight:650;letter-spacing:-.01em;margin:0;margin-right:auto;
overflow-wrap:anywhere}
h1 small{font-weight:400;color:var(--soft);margin-left:.6rem;font-size:.9rem}
.seg{display:inline-flex;background:var(--well);border-radius:999px;padding:3px}
.seg button{border:0;padding:.22rem .9rem;color:var(--soft)}
.seg button[aria-pressed=true]{background:var(--card);color:var(--ink);box-shadow:var(--shade)}
.solid{background:var(--accent);border-color:var(--accent);color:var(--on);font-weight:550}
.solid:disabled{opacity:.4;cursor:default}
input[type=search]{flex:1 1 12rem;min-width:0;max-width:26rem;border:1px solid var(--line);
background:var(--card);border-radius:999px;padding:.35rem 1rem}
select{border:1px solid var(--line);background:var(--card);border-radius:8px;padding:.25rem .5rem}
label{color:var(--soft);font-size:.9rem;display:inline-flex;gap:.4rem;align-items:center}
main{padding:1.6rem clamp(1rem,4vw,3rem) 5rem;max-width:110rem;margin:0 auto}
.none{color:var(--soft);text-align:center;padding:6rem 1rem}
.pic{background:var(--card);border:1px solid var(--line);border-radius:var(--r);
padding:1.2rem 1.3rem 1.4rem;margin:0 0 1.4rem;box-shadow:var(--shade);
content-visibility:auto;contain-intrinsic-size:auto 27rem}
.head{display:flex;flex-wrap:wrap;gap:.3rem .8rem;align-items:baseline;margin:0 0 .9rem}
.path{font-size:.95rem;font-weight:600;margin:0;overflow-wrap:anywhere}
.pill{font-size:.76rem;font-weight:600;letter-spacing:.02em;border-radius:999px;
padding:.08rem .6rem;background:var(--well);color:var(--soft)}
.pill.todo{background:var(--mark);color:var(--ink)}
.pill.good{color:var(--good)}.pill.bad{color:var(--bad)}
.why{color:var(--soft);font-size:.88rem}
.row{display:grid;gap:1.1rem;grid-template-columns:repeat(auto-fill,minmax(min(15rem,100%),1fr))}
.tile{margin:0;min-width:0}
.shot{position:relative;display:block;width:100%;padding:0;border:0;border-radius:10px;
overflow:hidden;background:var(--well);aspect-ratio:1}
.shot img{display:block;width:100%;height:100%;object-fit:contain}
.shot[aria-current=true]{box-shadow:0 0 0 3px var(--card),0 0 0 5px var(--good)}
.shot.no img{opacity:.32;filter:saturate(.3)}
.num{position:absolute;left:.55rem;top:.55rem;background:rgba(20,20,18,.62);color:#fff;
border-radius:999px;font-size:.78rem;line-height:1.5rem;min-width:1.5rem;text-align:center;
padding:0 .45rem}
.todo-shot{display:grid;place-content:center;text-align:center;gap:.35rem;padding:1.2rem;
border:1.5px dashed var(--line);background:none;max-height:15rem;
color:var(--soft);font-size:.9rem}
.todo-shot b{color:var(--ink);font-size:1.05rem;font-weight:600}
.acts{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center;margin:.65rem 0 .5rem}
.acts button{padding:.16rem .75rem;font-size:.88rem}
.acts .yes[aria-pressed=true]{background:var(--good);border-color:var(--good);color:var(--card)}
.acts .nay[aria-pressed=true]{background:var(--bad);border-color:var(--bad);color:var(--card)}
.stars{margin-left:auto;display:inline-flex}
.stars button{border:0;padding:0 .12rem;font-size:1.02rem;color:var(--soft);opacity:.5}
.stars button.on{color:#d49a1f;opacity:1}
.say{font-size:.88rem;color:var(--soft);margin:0;overflow-wrap:anywhere;display:-webkit-box;
-webkit-line-clamp:4;-webkit-box-orient:vertical;overflow:hidden}
mark{background:var(--mark);color:var(--ink);border-radius:3px;padding:0 .12em}
.cmd{display:flex;gap:.5rem;align-items:center;margin-top:.9rem;background:var(--well);
border-radius:10px;padding:.45rem .5rem .45rem .9rem;font-size:.84rem}
.cmd code{overflow-x:auto;white-space:pre;flex:1;min-width:0}
.cmd button{background:var(--card);padding:.1rem .7rem}
.gridwrap{overflow:auto;border:1px solid var(--line);border-radius:var(--r);background:var(--card)}
table{border-collapse:separate;border-spacing:0;width:100%}
th{font-size:.84rem;font-weight:600;color:var(--soft);padding:.65rem .7rem;text-align:left;
background:var(--card)}
thead th{position:sticky;top:0;z-index:1}
tbody th{white-space:nowrap;vertical-align:top;padding-top:1rem}
td{padding:.45rem;min-width:9rem;vertical-align:top}
.sheet{display:grid;gap:.7rem;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr))}
.sheet .tile{content-visibility:auto;contain-intrinsic-size:auto 10.5rem}
.cap{font-size:.76rem;color:var(--soft);margin:.3rem 0 0;white-space:nowrap;overflow:hidden;
text-overflow:ellipsis}
.flip{position:fixed;inset:0;z-index:20;background:#111110;color:#eceae4;display:grid;
grid-template-rows:auto minmax(0,1fr) auto}
.flip[hidden]{display:none}
.flip header,.flip footer{padding:.8rem clamp(1rem,3vw,2rem);display:flex;gap:.5rem 1rem;
align-items:center;flex-wrap:wrap}
.flip header .path{margin-right:auto}
.flip button{border-color:#3b3a36}
.flip .stage{position:relative;min-height:0}
.flip .stage img{position:absolute;inset:0;width:100%;height:100%;object-fit:contain}
.flip .say{color:#b3b0a7;-webkit-line-clamp:3;flex:1 1 20rem}
.flip mark{background:#6a5918;color:#fff}
.flip .stage .todo-shot{position:absolute;inset:0;margin:auto;width:min(20rem,80%);
height:fit-content;border-color:#3b3a36;color:#b3b0a7}
.flip .stage .todo-shot b{color:#fff}
kbd{font:inherit;font-size:.8rem;border:1px solid var(--line);border-bottom-width:2px;
border-radius:5px;padding:0 .35rem;color:var(--soft)}
.keys{color:var(--soft);font-size:.84rem;display:flex;flex-wrap:wrap;gap:.2rem .9rem;
margin:0}
.foot{padding:0 clamp(1rem,4vw,3rem) 2.4rem;max-width:110rem;margin:0 auto}
.toast{position:fixed;left:50%;bottom:1.6rem;transform:translateX(-50%);background:var(--ink);
color:var(--paper);border-radius:999px;padding:.4rem 1.1rem;font-size:.9rem;z-index:30}
.toast[hidden]{display:none}
@media (max-width:38rem){.top{padding:.75rem 1rem .65rem;position:static}
main{padding:1rem .8rem 4rem}.pic{padding:1rem;margin-bottom:1rem}
.row{grid-template-columns:repeat(auto-fill,minmax(min(9.5rem,100%),1fr));gap:.8rem}
.stars{margin-left:0}.keys{display:none}
.todo-shot{padding:.4rem;font-size:.8rem}.todo-shot b{font-size:.92rem}
.sheet{grid-template-columns:repeat(3,1fr)}
input[type=search]{max-width:none;flex-basis:100%}}
@media (prefers-reduced-motion:reduce){*{transition:none!important}}
]]
