// The pictures: a stage for each lane, side by side, or one for all lanes of a scene.

const STAGES = { "2d": () => DrawnStage, mujoco: () => MujocoStage, video: () => VideoStage };
// So long after the last change a picture is drawn with all that it has.
const CALM_MS = 160;
// Pixels of height for a row of pictures at least.
const SMALLEST = 160;

class Stages {
  onview = () => {};
  ondrawn = () => {};

  constructor(holder, { scenes, picture }, lanes, bytes) {
    Object.assign(this, { holder, scenes, lanes, bytes, picture });
    this.stills = [...holder.querySelectorAll(".screen")].map((screen) => $("img", screen));
    this.fast = false;
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(document.documentElement);
    addEventListener("resize", () => this.fit());
  }

  /** Whether lanes share a scene in which they can be ghosts. */
  get canBeGhosts() {
    const solid = this.lanes.map((lane) => lane.scene).filter((i) => this.scenes[i].kind === "mujoco");
    return new Set(solid).size < solid.length;
  }

  /** Make the tiles anew, with the lanes of one scene in one of them or each in its own. */
  build(ghosts) {
    const view = this.view;
    for (const tile of this.tiles ?? []) tile.stage?.dispose();
    const groups = new Map();
    this.lanes.forEach((lane, i) => {
      const joins = ghosts && this.scenes[lane.scene].kind === "mujoco";
      const key = joins ? `scene ${lane.scene}` : i;
      groups.set(key, [...(groups.get(key) ?? []), i]);
    });
    this.tiles = [...groups.values()].map((places) => this.tile(places));
    this.holder.replaceChildren(...this.tiles.map((tile) => tile.figure));
    this.setView(view);
    this.fit();
  }

  tile(places) {
    const lanes = places.map((i) => this.lanes[i]);
    const figure = element("figure", { className: "tile" });
    const screen = element("div", { className: "screen" });
    const canvas = element("canvas", { tabIndex: -1 });
    const overlay = element("p", { className: "overlay", hidden: true });
    const caption = lanes.map((lane) => lane.label).filter(Boolean).join(" · ");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", caption || document.title);
    screen.append(canvas, overlay);
    figure.append(screen);
    if (caption) figure.append(element("figcaption", { textContent: caption }));
    const tile = { figure, screen, canvas, overlay, lanes, still: this.stills[places[0]], stage: null };
    this.start(tile);
    return tile;
  }

  start(tile) {
    const scene = this.scenes[tile.lanes[0].scene];
    try {
      const stage = new (STAGES[scene.kind]())(tile.canvas, scene, this.bytes);
      stage.onchange = () => this.link(stage);
      stage.onlost = (why = "its graphics context was lost") => this.lose(tile, why);
      for (const lane of tile.lanes) stage.addLane(lane);
      tile.stage = stage;
    } catch (error) {
      this.lose(tile, error.message);
    }
    tile.screen.classList.toggle("turns", scene.kind === "mujoco");
  }

  /** Show the still picture and a sentence in the place of a stage. */
  lose(tile, why) {
    tile.stage = null;
    const words = `The picture cannot move here: ${why}.`;
    const notice = element("p", { className: "notice", textContent: words });
    tile.screen.replaceChildren(...(tile.still ? [tile.still, notice] : [notice]));
    tile.screen.classList.add("lost");
  }

  get living() {
    return this.tiles.filter((tile) => tile.stage);
  }

  get cameras() {
    return [...new Set(this.living.flatMap((tile) => tile.stage.cameras))].filter(Boolean);
  }

  get toggles() {
    const all = this.living.flatMap((tile) => tile.stage.toggles);
    return [...new Map(all.map((toggle) => [toggle.name, toggle])).values()];
  }

  get view() {
    return this.turning?.view ?? "";
  }

  /** What makes another page's pictures look from the same side; empty where nothing turns. */
  get likeness() {
    return this.turning?.likeness ?? "";
  }

  get turning() {
    return this.tiles?.find((tile) => tile.stage?.cameras.length)?.stage;
  }

  setView(text) {
    for (const { stage } of this.living) {
      if (text === "" || stage.cameras.includes(text) || /^[-\d.eE+,]+$/.test(text)) stage.setView(text);
    }
    this.onview();
    this.draw(this.step, true);
  }

  setToggle(name, on) {
    for (const { stage } of this.living) stage.setToggle(name, on);
    this.draw(this.step);
  }

  reset() {
    for (const { stage } of this.living) stage.reset();
    this.onview();
    this.draw(this.step, true);
  }

  /** Where one picture was turned, turn the others. */
  link(turned) {
    for (const { stage } of this.living) if (stage !== turned) stage.setView(turned.view);
    this.onview();
    this.draw(this.step, true);
  }

  /** Lay the tiles out so that they are as large as the window allows. */
  fit() {
    const aspect = this.picture.width / this.picture.height;
    const gap = parseFloat(getComputedStyle(this.holder).columnGap) || 0;
    const page = this.holder.parentElement;
    const width = this.holder.clientWidth;
    // Where there is no room to see anything, the page scrolls instead.
    const least = SMALLEST * Math.ceil(this.tiles.length / 2);
    const height = Math.max(innerHeight - (page.offsetHeight - this.holder.offsetHeight), least);
    const caption = Math.max(...this.tiles.map(({ figure, screen }) => figure.offsetHeight - screen.offsetHeight));
    let best = 0;
    let columns = 1;
    for (let count = 1; count <= this.tiles.length; count++) {
      const rows = Math.ceil(this.tiles.length / count);
      const room = (height - gap * (rows - 1)) / rows - caption;
      const side = Math.min((width - gap * (count - 1)) / count, room * aspect);
      if (side > best) [best, columns] = [side, count];
    }
    const side = Math.max(1, Math.floor(best));
    const size = `${columns} ${side} ${devicePixelRatio}`;
    if (size === this.size && this.tiles === this.fitted) return;
    [this.size, this.fitted] = [size, this.tiles];
    this.holder.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
    for (const tile of this.tiles) {
      tile.screen.style.height = `${Math.round(side / aspect)}px`;
      tile.stage?.resize(side, Math.round(side / aspect), devicePixelRatio);
    }
    this.draw(this.step);
  }

  /** Draw a step at the next occasion; where it is fast, again in full once nothing changes. */
  draw(step, fast = false) {
    this.step = step;
    this.fast = fast;
    delete document.documentElement.dataset.drawn;
    clearTimeout(this.later);
    this.asked ??= requestAnimationFrame(() => {
      this.asked = undefined;
      this.paint();
    });
  }

  async paint() {
    const { step, fast } = this;
    await Promise.all(
      this.living.map((tile) => tile.stage.draw(tile.lanes[0].at(step), { fast })),
    );
    if (step !== this.step || fast !== this.fast) return;
    if (fast) this.later = setTimeout(() => this.draw(this.step), CALM_MS);
    else this.ondrawn(step);
  }
}
