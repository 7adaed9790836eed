"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const series = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8250df", "#7b8794"];
  const preferred = window.matchMedia("(prefers-color-scheme: dark)");

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : preferred.matches);

  function color(name) {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function traceColor(role) {
    const place = /^series (\d+)$/.exec(role || "");
    return place ? series[Number(place[1]) % series.length] : color(role === "muted" ? "quiet" : role);
  }

  function colored(figure) {
    const data = figure.data.map((trace) => {
      const own = traceColor(trace.meta.role);
      return {
        ...trace,
        line: { ...trace.line, color: own },
        marker: { ...trace.marker, color: own },
        ...(trace.error_x ? { error_x: { ...trace.error_x, color: own } } : {}),
        ...(trace.error_y ? { error_y: { ...trace.error_y, color: own } } : {}),
      };
    });
    const axis = { gridcolor: color("line"), linecolor: color("line"), zeroline: false, automargin: true };
    const layout = {
      ...figure.layout,
      autosize: true,
      margin: { l: 50, r: 12, t: 22, b: 46 },
      font: { family: "system-ui, sans-serif", size: 12, color: color("ink") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: color("panel"), bordercolor: color("line"), font: { color: color("ink") } },
      shapes: (figure.layout.shapes || []).map((shape) => ({ ...shape, line: { ...shape.line, color: color("quiet") } })),
      xaxis: { ...axis, ...figure.layout.xaxis },
      yaxis: { ...axis, ...figure.layout.yaxis },
    };
    return [data, layout];
  }

  function draw(place) {
    const figure = figures[place.id];
    if (!figure || !window.Plotly) return;
    const [data, layout] = colored(figure);
    if (place.dataset.drawn) {
      data.forEach((trace, index) => {
        const before = place.data[index];
        if (before && before.visible !== undefined) trace.visible = before.visible;
      });
    }
    window.Plotly.react(place, data, layout, { responsive: true, displayModeBar: false, scrollZoom: false });
    place.dataset.drawn = "yes";
    document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true");
  }

  document.querySelectorAll("[data-series]").forEach((one) => {
    one.style.setProperty("--swatch", series[Number(one.dataset.series) % series.length]);
  });

  const places = [...document.querySelectorAll(".plot")];
  const redraw = () => places.filter((place) => place.dataset.drawn).forEach(draw);
  const watcher = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting && !one.target.dataset.drawn).forEach((one) => draw(one.target)),
    { rootMargin: "400px" },
  );

  async function loadPlotly() {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (one) => one.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(unpacked).text();
    document.head.append(script);
  }

  loadPlotly().then(
    () => places.forEach((place) => watcher.observe(place)),
    () => places.forEach((place) => (place.textContent = "This figure needs a newer browser; its numbers are in the tables.")),
  );

  function label() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-pressed", String(isDark()));
    button.setAttribute("aria-label", "Dark theme");
  }

  function remember(theme) {
    try {
      localStorage.setItem("ferbench-theme", theme);
    } catch {
      // a page opened from disk may not keep anything
    }
  }

  try {
    const kept = localStorage.getItem("ferbench-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch {
    // as above
  }
  label();
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    label();
    redraw();
  });
  preferred.addEventListener("change", () => {
    label();
    redraw();
  });

  function sortBy(table, column, head) {
    const descends = head.getAttribute("aria-sort") !== "descending" && !head.classList.contains("text");
    const ascends = head.classList.contains("text") && head.getAttribute("aria-sort") !== "ascending";
    const direction = descends ? -1 : ascends || head.getAttribute("aria-sort") === "descending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows];
    const value = (row) => {
      const entry = row.cells[column];
      const order = entry.dataset.order;
      if (order === undefined) return entry.textContent;
      return order === "-inf" ? -Infinity : Number(order);
    };
    rows.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      const order = typeof a === "number" && typeof b === "number" ? (a > b) - (a < b) : String(a).localeCompare(String(b));
      return direction * order;
    });
    table.tBodies[0].append(...rows);
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  }

  document.querySelectorAll("table.sortable").forEach((table) => {
    if (table.tBodies[0].rows.length < 2) return;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const control = document.createElement("button");
      control.type = "button";
      control.textContent = head.textContent;
      control.addEventListener("click", () => sortBy(table, column, head));
      head.replaceChildren(control);
    });
  });

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((one) => (one.open = true));
    places.forEach(draw);
  });
  window.addEventListener("afterprint", () => {
    closed.forEach((one) => (one.open = false));
    redraw();
  });
})();
