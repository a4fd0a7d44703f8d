"use strict";
// The map, the curves and the tables of a page. Texts of the store go into textContent only, never into HTML.
(() => {
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C"];
  const MARKERS = ["circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "star"];
  const MARKED = 1, EXTRAPOLATED = 2;

  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const doubles = (text) => new Float64Array(bytes(text).buffer);

  // Four significant digits as C and Python print them: 8.070e-11.
  function digits(value) {
    if (!Number.isFinite(value)) return "\u2013";
    return value.toExponential(3).replace(/e([+-])(\d)$/, "e$10$2");
  }

  // The rates of one system: places in rows and temperatures are those of the store's table.
  class Rates {
    constructor(data) {
      Object.assign(this, data);
      this.columns = data.temperature_k.length;
      const best = bytes(data.best).buffer, many = best.byteLength > this.columns * data.upper.length;
      this.best = many ? new Int16Array(best) : new Int8Array(best);
      this.sources = data.sources.map((one, place) => ({
        ...one,
        rate: doubles(one.rate),
        half_width: one.half_width === null ? null : doubles(one.half_width),
        flags: one.flags === null ? null : bytes(one.flags),
        place_of: new Map(one.rows.map((row, at) => [row, at])),
        colour: COLOURS[place % COLOURS.length],
        marker: MARKERS[place % MARKERS.length],
      }));
    }

    // What a source says of a transition at a temperature; null where it says nothing.
    at(place, row, column) {
      const source = this.sources[place];
      const own = source === undefined ? undefined : source.place_of.get(row);
      if (own === undefined) return null;
      const index = own * this.columns + column, rate = source.rate[index];
      if (Number.isNaN(rate)) return null;
      const dex = source.half_width === null ? NaN : source.half_width[index] * this.ratio_95_68;
      const flags = source.flags === null ? 0 : source.flags[index];
      return {
        source, rate, low: rate / 10 ** dex, high: rate * 10 ** dex,
        marked: (flags & MARKED) > 0, extrapolated: (flags & EXTRAPOLATED) > 0,
      };
    }

    // The value that counts.
    value(row, column) {
      return this.at(this.best[row * this.columns + column], row, column);
    }

    name(row) {
      return `${this.label[this.upper[row]]} \u2192 ${this.label[this.lower[row]]}`;
    }

    kelvin(column) {
      return String(this.temperature_k[column]);
    }
  }

  function words(value) {
    const parts = [value.source.kind];
    if (value.extrapolated) parts.push("outside what was trained");
    if (value.marked) parts.push("flagged");
    return parts.join(", ");
  }

  function interval(value) {
    return Number.isNaN(value.low) ? "" : `${digits(value.low)} to ${digits(value.high)}`;
  }

  function element(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  // One system on the page: what is chosen, and what shows it.
  class View {
    constructor(number, data, figures) {
      this.rates = new Rates(data);
      this.by = (name) => document.getElementById(`${name}-${number}`);
      this.map = figures.get(`map-${number}`);
      this.curve = figures.get(`curve-${number}`);
      this.row_of = new Map();
      this.rates.upper.forEach((upper, row) => this.row_of.set(`${upper},${this.rates.lower[row]}`, row));
      this.column = Math.floor((this.rates.columns - 1) / 2);
      this.row = this.first();
      this.listen();
      this.name_levels();
      this.fill_upper();
      this.show_map();
      this.choose(this.row);
    }

    // The transition shown at first: a predicted one where there is one.
    first() {
      for (let row = 0; row < this.rates.upper.length; row += 1) {
        const value = this.rates.value(row, this.column);
        if (value !== null && value.source.predicted) return row;
      }
      return 0;
    }

    listen() {
      const slider = this.by("slider");
      slider.max = String(this.rates.columns - 1);
      slider.value = String(this.column);
      slider.addEventListener("input", () => { this.column = Number(slider.value); this.show_map(); this.show_value(); });
      this.by("upper").addEventListener("change", () => { this.fill_lower(); this.choose(this.selected()); });
      this.by("lower").addEventListener("change", () => this.choose(this.selected()));
      this.by("keys").addEventListener("keydown", (event) => this.key(event));
      const picked = this.cells().selected;
      picked.properties.indices.change.connect(() => {
        if (picked.indices.length > 0) this.choose(this.rows[picked.indices[0]]);
      });
    }

    cells() { return this.source(this.map, "cells"); }
    source(figure, name) { return figure.document.get_model_by_name(name); }

    selected() {
      return this.row_of.get(`${this.by("upper").value},${this.by("lower").value}`);
    }

    // Give the map its levels, the range of its colours, and lines that fit the size of its cells.
    name_levels() {
      const size = this.rates.label.length, ends = { start: -0.5, end: size - 0.5 };
      // Bokeh takes $ and \ for TeX, for which it would ask the network.
      const short = (label) => label.length > 16 ? `${label.slice(0, 15)}\u2026` : label;
      const names = this.rates.label.map((label) => short(label).replaceAll("$", "\uff04").replaceAll("\\", "\uff3c"));
      for (const range of [this.map.x_range, this.map.y_range]) {
        range.setv({ ...ends, reset_start: ends.start, reset_end: ends.end });
      }
      for (const axis of [...this.map.below, ...this.map.left]) {
        axis.major_label_overrides = new Map(names.map((name, place) => [place, name]));
      }
      if (names.some((name) => name.length > 2)) this.map.below[0].major_label_orientation = "vertical";
      this.source(this.map, "mapper").setv({ low: this.rates.colours[0], high: this.rates.colours[1] });
      this.source(this.map, "glyph of frames").line_width = { value: Math.max(0.4, Math.min(2, 40 / size)) };
      for (const colour of ["white", "black"]) {
        this.source(this.map, `flag ${colour}`).size = { value: Math.max(5, Math.min(12, 200 / size)) };
      }
    }

    fill_upper() {
      const select = this.by("upper");
      [...new Set(this.rates.upper)].sort((a, b) => a - b).forEach((level) => {
        const option = element("option", this.rates.label[level]);
        option.value = String(level);
        select.append(option);
      });
    }

    // Offer the final levels that the chosen initial level has rates to; keep the final level where it can stay.
    fill_lower() {
      const select = this.by("lower"), upper = Number(this.by("upper").value), before = select.value;
      const lower = this.rates.lower.filter((_, row) => this.rates.upper[row] === upper).sort((a, b) => a - b);
      select.replaceChildren(...lower.map((level) => {
        const option = element("option", this.rates.label[level]);
        option.value = String(level);
        return option;
      }));
      if (lower.includes(Number(before))) select.value = before;
    }

    // The arrow keys go to the next transition with rates in their direction.
    key(event) {
      const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      let upper = this.rates.upper[this.row] + step[0], lower = this.rates.lower[this.row] + step[1];
      const size = this.rates.label.length;
      while (upper >= 0 && upper < size && lower >= 0 && lower < size) {
        const row = this.row_of.get(`${upper},${lower}`);
        if (row !== undefined) { this.choose(row); return; }
        upper += step[0];
        lower += step[1];
      }
    }

    choose(row) {
      this.row = row;
      this.by("upper").value = String(this.rates.upper[row]);
      this.fill_lower();
      this.by("lower").value = String(this.rates.lower[row]);
      const place = { x: [this.rates.upper[row]], y: [this.rates.lower[row]] };
      for (const colour of ["black", "white"]) this.source(this.map, `chosen ${colour}`).data = { ...place };
      this.show_curves();
      this.show_table();
      this.show_value();
    }

    show_map() {
      const cells = { x: [], y: [], log10_k: [], name: [], k: [], kind: [] };
      const frames = { x: [], y: [] }, flags = { x: [], y: [] };
      this.rows = [];
      this.rates.upper.forEach((x, row) => {
        const value = this.rates.value(row, this.column), y = this.rates.lower[row];
        if (value === null) return;
        this.rows.push(row);
        cells.x.push(x);
        cells.y.push(y);
        cells.log10_k.push(value.rate > 0 ? Math.log10(value.rate) : NaN);
        cells.name.push(this.rates.name(row));
        cells.k.push(digits(value.rate));
        cells.kind.push(words(value));
        if (value.source.predicted) { frames.x.push(x); frames.y.push(y); }
        if (value.marked) { flags.x.push(x); flags.y.push(y); }
      });
      this.cells().selected.indices = [];
      this.cells().data = cells;
      this.source(this.map, "frames").data = frames;
      this.source(this.map, "flags").data = flags;
      this.by("kelvin").textContent = `${this.rates.kelvin(this.column)} K`;
      this.by("slider").setAttribute("aria-valuetext", `${this.rates.kelvin(this.column)} K`);
    }

    // The sources that have this transition, by their places.
    having() {
      return this.rates.sources.map((_, place) => place).filter((place) => this.rates.sources[place].place_of.has(this.row));
    }

    show_curves() {
      const curves = { xs: [], ys: [], colour: [], dash: [] }, bands = { xs: [], ys: [], colour: [] };
      const points = { x: [], y: [], colour: [], marker: [], name: [], t: [], k: [], interval: [] };
      for (const place of this.having()) {
        const source = this.rates.sources[place], x = [], y = [], low = [], high = [];
        this.rates.temperature_k.forEach((kelvin, column) => {
          const value = this.rates.at(place, this.row, column);
          if (value === null || !(value.rate > 0)) return;
          x.push(kelvin);
          y.push(value.rate);
          if (!Number.isNaN(value.low)) { low.push([kelvin, value.low]); high.push([kelvin, value.high]); }
          points.x.push(kelvin);
          points.y.push(value.rate);
          points.colour.push(source.colour);
          points.marker.push(source.marker);
          points.name.push(`${source.name}, ${words(value)}`);
          points.t.push(this.rates.kelvin(column));
          points.k.push(digits(value.rate));
          points.interval.push(interval(value) || "\u2013");
        });
        curves.xs.push(x);
        curves.ys.push(y);
        curves.colour.push(source.colour);
        curves.dash.push(source.predicted ? "dashed" : "solid");
        if (low.length > 1) {
          const around = [...low, ...high.reverse()];
          bands.xs.push(around.map((one) => one[0]));
          bands.ys.push(around.map((one) => one[1]));
          bands.colour.push(source.colour);
        }
      }
      this.source(this.curve, "bands").data = bands;
      this.source(this.curve, "curves").data = curves;
      this.source(this.curve, "points").data = points;
    }

    show_table() {
      const table = this.by("numbers"), places = this.having();
      table.querySelector("caption").textContent =
        `k in cm3 s-1 of ${this.rates.system}, ${this.rates.name(this.row)}; bold: the value that counts, in brackets the 95 % interval`;
      const head = element("tr");
      head.append(element("th", "T (K)"));
      for (const place of places) {
        const source = this.rates.sources[place], cell = element("th");
        const line = element("span", undefined, source.predicted ? "line dashed" : "line");
        line.style.borderColor = source.colour;
        cell.append(line, `source ${source.id}, ${source.kind}: ${source.name}`);
        head.append(cell);
      }
      head.querySelectorAll("th").forEach((cell) => { cell.scope = "col"; });
      table.tHead.replaceChildren(head);
      table.tBodies[0].replaceChildren(...this.rates.temperature_k.map((_, column) => this.table_row(places, column)));
    }

    table_row(places, column) {
      const line = element("tr"), kelvin = element("th", this.rates.kelvin(column));
      kelvin.scope = "row";
      line.append(kelvin);
      const used = this.rates.best[this.row * this.rates.columns + column];
      for (const place of places) {
        const value = this.rates.at(place, this.row, column);
        const cell = element("td", value === null ? "\u2013" : digits(value.rate), place === used ? "used" : "");
        if (value !== null) {
          if (interval(value)) cell.append(` (${interval(value)})`);
          if (value.marked) cell.append(" \u2715 flagged");
          if (value.extrapolated) cell.append(" outside what was trained");
        }
        line.append(cell);
      }
      return line;
    }

    show_value() {
      const value = this.rates.value(this.row, this.column);
      const where = `${this.rates.name(this.row)} at ${this.rates.kelvin(this.column)} K: `;
      let said = `${where}no rate`;
      if (value !== null) {
        said = `${where}k = ${digits(value.rate)} cm3 s-1, ${words(value)}`;
        if (interval(value)) said += `, 95 % interval ${interval(value)}`;
        said += `, source ${value.source.id}: ${value.source.name}`;
      }
      this.by("value").textContent = said;
      this.source(this.curve, "here").location = this.rates.temperature_k[this.column];
      [...this.by("numbers").tBodies[0].rows].forEach((row, column) => row.classList.toggle("here", column === this.column));
    }
  }

  // Bokeh draws on a canvas, which no style sheet reaches: give it the colours of the page.
  function colour(figures) {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches && !matchMedia("print").matches;
    const ink = dark ? "#e8eaed" : "#1d1d1f", line = dark ? "#44484d" : "#d5d8db";
    const texts = { axis_label_text_color: ink, major_label_text_color: ink, axis_line_color: ink, major_tick_line_color: ink, minor_tick_line_color: ink };
    for (const plot of figures.values()) {
      plot.setv({ outline_line_color: line });
      for (const one of [...plot.below, ...plot.left, ...plot.right, ...plot.above, ...plot.center]) {
        if (one.type.endsWith("Axis")) one.setv(texts);
        else if (one.type === "ColorBar") one.setv({ title_text_color: ink, major_label_text_color: ink });
        else if (one.type === "Legend") one.setv({ label_text_color: ink });
        else if (one.type === "Grid") one.setv({ grid_line_color: line });
        else if (one.type === "Span") one.setv({ line_color: ink });
      }
    }
  }

  async function copy(button) {
    const of = document.getElementById(button.dataset.of), said = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(of.textContent);
      said.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(of);
      said.textContent = document.execCommand("copy") ? "copied" : "selected: copy it with the keyboard";
    }
  }

  async function start() {
    const figures = new Map();
    for (const place of document.querySelectorAll("[data-figure]")) {
      const own = document.getElementById(`figure-${place.id}`) ?? document.getElementById(`figure-${place.dataset.figure}`);
      const views = await Bokeh.embed.embed_item(JSON.parse(own.textContent), place.id);
      figures.set(place.id, views.roots[0].model);
    }
    colour(figures);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", () => colour(figures));
    }
    // Paper has no button to unfold a table.
    addEventListener("beforeprint", () => {
      for (const one of document.querySelectorAll("details:not([open])")) one.dataset.folded = one.open = true;
    });
    addEventListener("afterprint", () => {
      for (const one of document.querySelectorAll("details[data-folded]")) { one.open = false; delete one.dataset.folded; }
    });
    for (const button of document.querySelectorAll("button.copy")) button.addEventListener("click", () => copy(button));
    const data = JSON.parse(document.getElementById("report-data").textContent);
    data.forEach((one, number) => {
      if (figures.has(`map-${number}`)) new View(number, one, figures);
    });
    document.documentElement.dataset.ready = "yes";
  }

  start();
})();
