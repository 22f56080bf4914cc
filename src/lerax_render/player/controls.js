// Buttons, menus and keys.

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];

class Controls {
  constructor(clock, stages) {
    Object.assign(this, { clock, stages, overlay: false, ghosts: false, bare: false });
    this.buttons();
    this.menu();
    addEventListener("keydown", (event) => this.key(event));
  }

  buttons() {
    const { clock } = this;
    const on = (selector, act) => $(selector).addEventListener("click", act);
    on("#play", () => clock.toggle());
    on("#back", () => this.step(-1));
    on("#forth", () => this.step(1));
    on("#loop", () => this.loop());
    on("#save", () => this.save());
    on("#full", () => this.full());
    on("#keys", () => $("#help").showModal());
    on("#done", () => $("#help").close());
    $("#help").addEventListener("click", (event) => {
      if (event.target === $("#help")) $("#help").close();
    });
    $("#full").hidden = !document.fullscreenEnabled;
    $("#speed").append(...SPEEDS.map((speed) => new Option(`${speed}×`, speed, speed === 1, speed === 1)));
    $("#speed").addEventListener("change", () => {
      clock.speed = Number($("#speed").value);
    });
    $("#camera").addEventListener("change", () => this.stages.setView($("#camera").value));
    $("#stages").addEventListener("click", (event) => {
      const screen = event.target.closest(".screen");
      if (screen && !screen.matches(".turns, .lost") && !this.bare) clock.toggle();
    });
  }

  menu() {
    const [button, menu] = [$("#options"), $("#menu")];
    const show = (open) => {
      menu.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
      if (open) $("input", menu)?.focus();
    };
    button.addEventListener("click", () => show(menu.hidden));
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      show(false);
      button.focus();
    });
    addEventListener("pointerdown", (event) => {
      if (!event.target.closest("#menu, #options")) show(false);
    });
  }

  /** Fill the menus with what these pictures have. */
  fill() {
    const { stages } = this;
    const { cameras } = stages;
    $("#camera").replaceChildren(
      new Option("Clip’s view", ""),
      ...cameras.map((name) => new Option(name, name)),
      new Option("Free", "free"),
    );
    $("#camera").hidden = !stages.living.some((tile) => tile.screen.matches(".turns"));
    const boxes = [this.box("Overlay", "O", this.overlay, (on) => this.setOverlay(on))];
    if (stages.canBeGhosts) boxes.push(this.box("Ghosts in one scene", "G", this.ghosts, (on) => this.setGhosts(on)));
    for (const { name, label, on } of stages.toggles) {
      boxes.push(this.box(label, "", on, (now) => stages.setToggle(name, now)));
    }
    $("#menu").replaceChildren(...boxes);
    this.seen();
  }

  box(label, key, on, act) {
    const box = element("input", { type: "checkbox", checked: on });
    box.dataset.key = key;
    box.addEventListener("change", () => act(box.checked));
    const row = element("label");
    row.append(box, element("span", { textContent: label }));
    if (key) row.append(element("kbd", { textContent: key }));
    return row;
  }

  /** Show from where the pictures are seen. */
  seen() {
    const { view, cameras } = this.stages;
    const free = view !== "" && !cameras.includes(view);
    const options = [...$("#camera").options];
    if (!options.length) return;
    options.at(-1).hidden = options.at(-1).disabled = !free;
    $("#camera").value = free ? "free" : view;
  }

  step(by) {
    this.clock.playing = false;
    this.clock.seek(this.clock.step + by);
  }

  /** Go to where the next episode of any lane begins, or the one before. */
  episode(by) {
    const { lanes } = this.stages;
    const { step, steps } = this.clock;
    const starts = lanes.flatMap((lane) => [...lane.starts].map((start) => Math.ceil(start / lane.stride)));
    const edges = [...new Set([0, ...starts, steps - 1])].sort((one, other) => one - other);
    const found = by > 0 ? edges.find((edge) => edge > step) : edges.findLast((edge) => edge < step);
    this.step((found ?? step) - step);
  }

  faster(by) {
    const place = SPEEDS.indexOf(this.clock.speed) + by;
    this.clock.speed = SPEEDS[Math.min(Math.max(place, 0), SPEEDS.length - 1)];
    $("#speed").value = this.clock.speed;
  }

  loop() {
    this.clock.loops = !this.clock.loops;
    $("#loop").setAttribute("aria-pressed", String(this.clock.loops));
  }

  look(number) {
    const name = number === 0 ? "" : this.stages.cameras[number - 1];
    if (name !== undefined) this.stages.setView(name);
  }

  setOverlay(on) {
    this.overlay = on;
    this.clock.onmove();
  }

  setGhosts(on) {
    this.ghosts = on && this.stages.canBeGhosts;
    this.stages.build(this.ghosts);
    this.fill();
    this.clock.onmove();
  }

  press(key) {
    $(`#menu input[data-key="${key}"]`)?.click();
  }

  async save() {
    for (const { stage, lanes } of this.stages.living) {
      const picture = await stage.snapshot();
      if (!picture) continue;
      const name = [document.title, lanes[0].label, `step ${this.clock.step}`].filter(Boolean).join(" ");
      const link = element("a", { download: `${name.replace(/[^\p{L}\p{N}._-]+/gu, "-")}.png` });
      link.href = URL.createObjectURL(picture);
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    }
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.().catch(() => {});
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $("#help").open) return;
    const { target, key } = event;
    // What has the focus keeps the keys that it knows.
    if (target.matches?.("select")) return;
    if (target.matches?.("button, input[type=checkbox]") && (key === " " || key === "Enter")) return;
    const act = this.actions[key] ?? this.actions[key.toLowerCase()];
    if (/^\d$/.test(key)) this.look(Number(key));
    else if (act) act(event);
    else return;
    event.preventDefault();
  }

  actions = {
    " ": () => this.clock.toggle(),
    k: () => this.clock.toggle(),
    arrowleft: (event) => this.step(event.shiftKey ? -10 : -1),
    arrowright: (event) => this.step(event.shiftKey ? 10 : 1),
    home: () => this.step(-Infinity),
    end: () => this.step(Infinity),
    "[": () => this.episode(-1),
    "]": () => this.episode(1),
    "<": () => this.faster(-1),
    ">": () => this.faster(1),
    "-": () => this.faster(-1),
    "+": () => this.faster(1),
    l: () => this.loop(),
    r: () => this.stages.reset(),
    o: () => this.press("O"),
    g: () => this.press("G"),
    s: () => this.save(),
    f: () => this.full(),
    d: () => $("#theme").click(),
    "?": () => $("#help").showModal(),
  };
}
