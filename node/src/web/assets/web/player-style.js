// The player's looks. A constructed sheet: a strict page policy allows it, and
// nothing leaks between the player and the site that embeds it.

const css = `
:host {
  --leaf: #6fcf9b; --ink: #eef4ef; --dim: #a9b8ae; --ground: #0b110e; --veil: rgb(8 13 10 / .78);
  display: block; position: relative; aspect-ratio: 16 / 9; overflow: hidden;
  background: var(--ground); color: var(--ink); container-type: size;
  font: 400 1rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-tap-highlight-color: transparent;
}
:host([hidden]) { display: none; }
:host(:fullscreen) { aspect-ratio: auto; width: 100%; height: 100%; border-radius: 0 !important; }
*, *::before { box-sizing: border-box; }
[hidden] { display: none !important; }
video, .last { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; background: transparent; }
.last { opacity: .55; }
:host([state="playing"]) .last { visibility: hidden; }
button, input { font: inherit; color: inherit; }
button { cursor: pointer; border: 0; background: none; }
:focus-visible { outline: 2px solid var(--leaf); outline-offset: 2px; }

.status { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: .4rem;
  padding: 1rem 1rem 3.4rem; text-align: center; background: var(--veil); transition: opacity .3s; }
.status p { margin: 0; max-width: 34ch; text-wrap: balance; }
.status .title { font-size: clamp(1.05rem, 3.2cqi, 1.5rem); font-weight: 600; letter-spacing: -.01em; }
.status .hint { color: var(--dim); font-size: clamp(.85rem, 2.2cqi, 1rem); }
.roots { width: clamp(2.2rem, 8cqi, 3.4rem); height: auto; color: var(--leaf); margin-bottom: .4rem; }
.roots .root { stroke-dasharray: 16; animation: grow 2.4s ease-in-out infinite; }
.roots .root:nth-of-type(3) { animation-delay: .25s; }
.roots .root:nth-of-type(4) { animation-delay: .5s; }
@keyframes grow { 0% { stroke-dashoffset: 16; } 55%, 80% { stroke-dashoffset: 0; } 100% { stroke-dashoffset: -16; } }
:host(:is([state="idle"], [state="ended"], [state="error"], [state="ticket"], [state="unsupported"])) .root { animation: none; }
:host([state="playing"]) .status { opacity: 0; pointer-events: none; }
:host([state="reconnecting"][seen]) .status { inset: .75rem auto auto .75rem; width: max-content; max-width: calc(100% - 1.5rem); padding: .45rem .9rem; border-radius: .6rem;
  justify-items: start; text-align: start; gap: 0; }
:host([state="reconnecting"][seen]) .roots { display: none; }
:host([state="reconnecting"][seen]) .title { font-size: .95rem; }
:host([state="reconnecting"][seen]) .hint { font-size: .82rem; }

.act { margin-top: .6rem; }
.act button, .sound { min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: 2rem; font-weight: 600;
  background: var(--leaf); color: #07120c; }
.act button:hover, .sound:hover { background: #8adcae; }
form { display: flex; flex-wrap: wrap; gap: .5rem; justify-content: center; margin-top: .6rem; }
form input { min-height: 2.75rem; width: min(18rem, 70cqw); padding: .4rem .9rem; border-radius: 2rem;
  border: 1px solid #5d6e63; background: #131c17; }
form input::placeholder { color: var(--dim); opacity: 1; }
.sound { position: absolute; left: 50%; top: 1rem; transform: translateX(-50%); display: inline-flex; gap: .5rem; align-items: center;
  box-shadow: 0 .3rem 1.2rem rgb(0 0 0 / .4); }
svg { width: 1.5rem; height: 1.5rem; display: block; }

.bar { position: absolute; inset: auto 0 0; display: flex; align-items: center; gap: .15rem; padding: 1.6rem .5rem .35rem;
  background: linear-gradient(transparent, rgb(6 10 8 / .82)); transition: opacity .25s; }
.bar button { width: 2.75rem; height: 2.75rem; display: grid; place-items: center; border-radius: .6rem; flex: none; }
.bar button:hover { background: rgb(255 255 255 / .12); }
.bar button[aria-pressed="true"] { color: var(--leaf); }
.live { display: inline-flex; align-items: center; gap: .4rem; padding: 0 .6rem; font-size: .82rem; font-weight: 600;
  letter-spacing: .04em; color: var(--leaf); white-space: nowrap; }
.live::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: currentColor; }
:host(:not([state="playing"])) .live { visibility: hidden; }
.space { flex: 1; }
input[type=range] { width: 5.5rem; accent-color: var(--leaf); }
:host([state="playing"][quiet]) .bar { opacity: 0; }
:host([state="playing"][quiet]) { cursor: none; }
@container (max-width: 420px) { input[type=range] { display: none; } .live { padding: 0 .3rem; } }

.panel { position: absolute; inset: .75rem .75rem auto auto; max-height: calc(100% - 4.6rem); overflow: auto; min-width: 15.5rem;
  padding: .7rem .9rem; border-radius: .6rem; background: rgb(8 13 10 / .88); font-size: .82rem; line-height: 1.5; }
.panel h2 { margin: 0 0 .3rem; font-size: .82rem; font-weight: 600; color: var(--leaf); }
.panel dl { margin: 0; display: grid; grid-template-columns: auto auto; gap: 0 1.2rem; }
.panel dt { color: var(--dim); }
.panel dd { margin: 0; text-align: end; font-variant-numeric: tabular-nums; }
@container (max-width: 420px) { .panel { inset: .4rem .4rem auto; min-width: 0; font-size: .75rem; line-height: 1.35; } }

@media (prefers-reduced-motion: reduce) { .roots .root { animation: none; } .status, .bar { transition: none; } }
@media (forced-colors: active) { .bar, .panel, .status { background: Canvas; } }
`;

/** One sheet, shared by all players of a page. */
export const playerStyle = new CSSStyleSheet();
playerStyle.replaceSync(css);
