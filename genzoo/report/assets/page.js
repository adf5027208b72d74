"use strict";
(() => {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const COLOURS = 8, HEIGHT = 220, MILLISECONDS = 250;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const shown = (value) => (value == null ? "–" : String(Number(value.toPrecision(4))));

  // The nearest step at which a curve has a value: training and validation are logged at different ones.
  function nearest(plot, series, place) {
    const values = plot.data[series];
    for (let distance = 0; distance < values.length; distance++) {
      for (const candidate of [place - distance, place + distance]) {
        if (values[candidate] != null) return candidate;
      }
    }
    return place;
  }

  function options(plot, width, isLogarithmic) {
    const isBars = plot.kind === "bars";
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const series = plot.series.map((curve) => {
      const stroke = colour(`--series-${curve.colour % COLOURS}`);
      const isShort = curve.values.filter((value) => value != null).length < 3;
      return {
        label: curve.label,
        stroke,
        fill: isBars ? stroke : undefined,
        paths: isBars ? uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
        // More curves than colours are told apart by their dashes.
        dash: curve.colour < COLOURS ? undefined : [6, 4],
        width: 1.5,
        spanGaps: true,
        points: { show: !isBars && isShort, size: 6 },
        value: (_, value) => shown(value),
      };
    });
    // A little room beyond the numbers, but none beyond what they can be.
    const range = (_, least, most) => {
      if (least == null) return [0, 1];
      const margin = 0.05 * (most - least || Math.abs(most) || 1);
      const [from, to] = plot.bounds;
      return [from ?? least - margin, to ?? most + margin];
    };
    const around = isBars ? (_, least, most) => [least - 0.5, most + 0.5] : undefined;
    return {
      width,
      height: HEIGHT,
      cursor: {
        sync: plot.axis === "step" ? { key: "step" } : undefined,
        dataIdx: (drawn, series, place) => (series ? nearest(drawn, series, place) : place),
      },
      scales: { x: { time: false, range: around }, y: isLogarithmic ? { distr: 3 } : { range } },
      axes: [
        { ...axis, size: 28 },
        { ...axis, size: 60, values: (_, values) => values.map((value) => (value == null ? "" : shown(value))) },
      ],
      series: [{ label: plot.axis, value: (_, value) => (value == null ? "–" : String(value)) }, ...series],
    };
  }

  function draw(place) {
    const plot = data.plots[place.dataset.plot];
    const values = [plot.places, ...plot.series.map((curve) => curve.values)];
    const isPositive = plot.series.every((curve) => curve.values.every((value) => value == null || value > 0));
    let drawn = null, isLogarithmic = plot.logarithmic && isPositive;
    const redraw = () => {
      if (drawn) drawn.destroy();
      drawn = new uPlot(options(plot, place.clientWidth, isLogarithmic), values, place);
    };
    if (plot.kind === "lines" && isPositive) {
      const box = document.createElement("input"), label = document.createElement("label");
      box.type = "checkbox";
      box.checked = isLogarithmic;
      label.className = "scale";
      label.append(box, " logarithmic");
      box.addEventListener("change", () => { isLogarithmic = box.checked; redraw(); });
      place.parentElement.querySelector(".head").append(label);
    }
    redraw();
    new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  function slide(figure) {
    const frames = data.frames[figure.dataset.frames];
    const image = figure.querySelector("img"), name = figure.querySelector("output");
    const input = figure.querySelector("input"), button = figure.querySelector("button");
    const addresses = [...frames.addresses, image.src];
    let clock = null;
    const show = () => {
      const chosen = Number(input.value);
      image.src = addresses[chosen];
      name.textContent = frames.names[chosen];
      image.alt = `${figure.dataset.caption}, ${frames.names[chosen]}`;
      input.setAttribute("aria-valuetext", frames.names[chosen]);
    };
    const stop = () => { clearInterval(clock); clock = null; button.textContent = "Play"; };
    const step = () => {
      input.value = Number(input.value) + 1;
      show();
      if (input.value === input.max) stop();
    };
    input.addEventListener("input", () => { stop(); show(); });
    button.addEventListener("click", () => {
      if (clock) return stop();
      if (input.value === input.max) { input.value = 0; show(); }
      clock = setInterval(step, MILLISECONDS);
      button.textContent = "Stop";
    });
    figure.querySelector(".slider").hidden = false;
  }

  document.querySelectorAll("[data-plot]").forEach(draw);
  document.querySelectorAll("[data-frames]").forEach(slide);
})();
