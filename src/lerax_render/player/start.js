// From what the page holds to pictures that move.

async function start() {
  const bytes = await inflated($("#data").textContent.trim());
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const described = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const known = described.lanes.map((lane) => lane.secondsPerStep).filter(Boolean);
  const secondsPerStep = known.length ? Math.min(...known) : DEFAULT_SECONDS;
  const contents = bytes.subarray(8 + length);
  const lanes = described.lanes.map((lane) => new Lane(lane, contents, secondsPerStep));
  const clock = new Clock(Math.max(...lanes.map((lane) => lane.length)), secondsPerStep);
  const stages = new Stages($("#stages"), described, lanes, contents);
  const timeline = new Timeline(lanes, clock);
  const address = new Address(() => ({
    step: clock.step,
    camera: stages.view || null,
    ghosts: controls.ghosts ? "on" : null,
    ui: controls.bare ? "off" : null,
  }));
  const controls = new Controls(clock, stages);
  const remote = new Remote(clock, stages);

  clock.onmove = () => {
    const { step } = clock;
    if (step !== stages.step || (stages.fast && !clock.playing)) stages.draw(step, clock.playing);
    timeline.move();
    tell(clock, lanes, stages, controls.overlay);
    caption(described.captions, lanes[0].at(step));
    address.write();
    remote.tell("playhead");
  };
  stages.onview = () => {
    controls.seen();
    address.write();
    remote.tell("view");
  };
  stages.ondrawn = (step) => {
    root.dataset.drawn = step;
  };

  function follow() {
    const { step, camera, ui, ghosts } = address.read();
    controls.bare = ui === "off";
    document.body.classList.toggle("bare", controls.bare);
    if (ghosts === "on" && !controls.ghosts) controls.setGhosts(true);
    stages.fit();
    if (camera !== null) stages.setView(camera);
    clock.playing = false;
    clock.seek(Number(step) || 0);
  }

  stages.step = 0;
  document.body.classList.add("runs");
  stages.build(false);
  controls.fill();
  addEventListener("hashchange", follow);
  follow();
}

/** Write where the playhead is, and what is so of each picture. */
function tell(clock, lanes, stages, overlay) {
  const { step, steps, secondsPerStep, playing } = clock;
  const seconds = lanes.some((lane) => lane.secondsPerStep) ? `${(step * secondsPerStep).toFixed(2)} s` : "";
  $("#seconds").textContent = seconds;
  $("#step").textContent = `step ${step} of ${steps - 1}`;
  const { episodes } = lanes[0];
  const last = episodes?.at(-1) ?? 1;
  $("#episode").textContent = last > 1 ? `episode ${episodes[lanes[0].at(step)]} of ${last}` : "";
  $("#play").setAttribute("aria-label", playing ? "Pause" : "Play");
  $("#play").setAttribute("aria-pressed", String(playing));
  for (const tile of stages.tiles) {
    tile.overlay.hidden = !overlay;
    if (!overlay) continue;
    const [lane] = tile.lanes;
    const at = lane.at(step);
    const lines = [`step ${at}`];
    if (lane.secondsPerStep) lines.push(`time ${(at * lane.secondsPerStep).toFixed(2)} s`);
    if (lane.rewards) lines.push(`reward ${short(lane.rewards[at])}`, `return ${short(lane.returns[at])}`);
    tile.overlay.textContent = lines.join("\n");
  }
}

/** Write what is said at a step. */
function caption(captions, step) {
  if (!captions.length) return;
  const said = (at) => captions.filter(([, first, end]) => first <= at && (end === null || at < end)).map(([text]) => text);
  const paragraph = $("#caption");
  // Room for all that is said at once, so that nothing moves.
  const lines = Math.max(...captions.map(([, first]) => said(first).length));
  Object.assign(paragraph, { hidden: false, textContent: said(step).join("\n") });
  paragraph.style.minHeight = `calc(${lines}lh + 0.5rem)`;
}

start().catch((error) => {
  document.body.classList.remove("runs");
  const notice = element("p", { className: "notice", textContent: `The replay cannot be shown: ${error.message}.` });
  $("#stages").after(notice);
  console.error(error);
});
