
// The read-out under the pointer: pixels of the drawn curves turned back into values.
(() => {
  const box = document.getElementById("hover");
  // From pixels to text with as many digits as a pixel is worth.
  const scale = (text) => {
    const [low, high, from, to, kind] = text.split(" ");
    const share = (at) => (at - from) / (to - from);
    if (kind === "log") return (at) => String(+(low * (high / low) ** share(at)).toPrecision(3));
    const decimals = Math.min(12, Math.max(0, 3 - Math.floor(Math.log10(high - low))));
    return (at) => {
      const value = +(+low + share(at) * (high - low)).toFixed(decimals);
      return String(Math.abs(value) < 1e4 ? value : +value.toPrecision(4));
    };
  };
  // "delay, ms" is a name and a unit.
  const split = (label) => {
    const at = label.lastIndexOf(", ");
    return at < 0 ? [label, ""] : [label.slice(0, at), " " + label.slice(at + 2)];
  };
  const points = (path) => {
    if (path.dataset.points !== undefined) {
      const flat = path.dataset.points.split(" ").map(Number);
      return flat.flatMap((x, i) => (i % 2 ? [] : [[x, flat[i + 1]]]));
    }
    let y = 0;
    const found = [];
    for (const [, verb, rest] of path.getAttribute("d").matchAll(/([MLHV])([^MLHV]*)/g)) {
      const [a, b] = rest.trim().split(" ").map(Number);
      if (verb === "H") { found.push([a, y]); continue; }
      if (verb === "V") { y = a; found[found.length - 1][1] = a; continue; }
      y = b;
      found.push([a, b]);
    }
    return found;
  };
  for (const svg of document.querySelectorAll("svg.plot[data-x]")) {
    const x = scale(svg.dataset.x), y = scale(svg.dataset.y);
    const curves = [...svg.querySelectorAll("[data-name]")].map((path) => [path.dataset.name, points(path)])
      .filter(([, of]) => of.length > 0 && Number.isFinite(of[0][0]));
    if (!curves.length) continue;
    const cross = document.createElementNS(svg.namespaceURI, "path");
    cross.setAttribute("class", "cross");
    svg.append(cross);
    const [xName, xUnit] = split(svg.dataset.xLabel), [yName, yUnit] = split(svg.dataset.yLabel);
    const [, , bottom, top] = svg.dataset.y.split(" ");
    const hide = () => { box.hidden = true; cross.removeAttribute("d"); };
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
      const near = curves.map(([name, of]) => [name, of.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a))]);
      const line = near.reduce((a, b) => (Math.abs(b[1][0] - at) < Math.abs(a[1][0] - at) ? b : a))[1][0];
      const rows = near.filter(([, p]) => Math.abs(p[0] - line) < 12)
        .map(([name, p]) => `${curves.length > 1 ? name : yName}: ${y(p[1])}${yUnit}`);
      cross.setAttribute("d", `M${line} ${top}V${bottom}`);
      box.textContent = [`${xName}: ${x(line)}${xUnit}`, ...rows].join("\n");
      box.hidden = false;
      const left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
      box.style.left = `${Math.max(8, left)}px`;
      box.style.top = `${Math.max(8, event.clientY - box.offsetHeight - 14)}px`;
    });
  }
})();
