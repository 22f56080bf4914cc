const tiles = [...document.querySelectorAll(".tile")];
const query = $("#query");
const chips = [...document.querySelectorAll(".chips button")];
const viewer = $("#viewer");

const words = new Map(tiles.map((tile) => [tile, $(".words", tile).textContent.toLowerCase()]));
const tags = new Map(
  tiles.map((tile) => [tile, [...tile.querySelectorAll(".tags li")].map((tag) => tag.textContent)]),
);

// Search and filter: every word and every pressed tag must be there.

function filter() {
  const wanted = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const pressed = chips
    .filter((chip) => chip.getAttribute("aria-pressed") === "true")
    .map((chip) => chip.dataset.tag);
  let count = 0;
  for (const tile of tiles) {
    const shown =
      wanted.every((word) => words.get(tile).includes(word)) &&
      pressed.every((tag) => tags.get(tile).includes(tag));
    tile.hidden = !shown;
    count += shown;
  }
  const all = tiles.length;
  const noun = all === 1 ? "clip" : "clips";
  $("#count").textContent = count === all ? `${all} ${noun}` : `${count} of ${all} ${noun}`;
  $(".nothing").hidden = count > 0;
}

function showAll() {
  query.value = "";
  for (const chip of chips) chip.setAttribute("aria-pressed", "false");
  filter();
}

query.addEventListener("input", filter);
query.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  query.value = "";
  filter();
});
for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    filter();
  });
}
$("#clear").addEventListener("click", () => {
  showAll();
  query.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (viewer.open || event.target.matches("input")) return;
  event.preventDefault();
  query.focus();
});

// Playing: while a mouse or the keyboard's focus is on a tile, from where it stopped.

let pointed = null;

// A replay's page and what is no picture at all are links to themselves.
const moves = (shot) => shot.dataset.kind === "video" || shot.dataset.kind === "img";

function moving(shot) {
  const media = document.createElement(shot.dataset.kind);
  if (shot.dataset.kind === "video") {
    media.muted = media.loop = media.playsInline = true;
  } else {
    media.alt = "";
  }
  return media;
}

function play(shot) {
  if (!moves(shot) || shot.classList.contains("playing")) return;
  let media = $(".moving", shot);
  if (!media) {
    media = moving(shot);
    media.className = "moving";
    media.tabIndex = -1;
    const ready = () => media.classList.add("ready");
    media.addEventListener(media.play ? "playing" : "load", ready, { once: true });
    media.src = shot.href;
    shot.append(media);
  }
  shot.classList.add("playing");
  // Refused where a browser plays nothing by itself: then the still stays.
  media.play?.().catch(() => shot.classList.remove("playing"));
}

function stop(shot) {
  const media = $(".moving", shot);
  shot.classList.remove("playing");
  if (media?.pause) media.pause();
  else media?.remove();
}

function update(tile) {
  const shot = $(".shot", tile);
  const wanted = tile === pointed || shot.matches(":focus-visible");
  if (wanted && !calm.matches) play(shot);
  else stop(shot);
}

for (const tile of tiles) {
  tile.addEventListener("pointerenter", (event) => {
    // A finger does not hover: what it has touched would play on when it is gone.
    pointed = event.pointerType === "touch" ? null : tile;
    update(tile);
  });
  tile.addEventListener("pointerleave", () => {
    pointed = null;
    update(tile);
  });
  tile.addEventListener("focusin", () => update(tile));
  tile.addEventListener("focusout", () => update(tile));
  $(".shot", tile).addEventListener("click", (event) => {
    if (!moves(event.currentTarget) || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    view(tile);
  });
}

// The viewer: one clip, large. A video has the browser's own controls, a picture that moves has none.

let viewed = null;

function view(tile) {
  viewed = tile;
  for (const other of tiles) stop($(".shot", other));
  const media = moving($(".shot", tile));
  if (media.play) {
    media.src = $(".shot", tile).href;
    media.controls = true;
    media.autoplay = !calm.matches;
  } else {
    media.alt = $("h2", tile).textContent;
  }
  $("#play").hidden = Boolean(media.play);
  const { width, height } = $("img", tile).attributes;
  media.style.setProperty("--ratio", width.value / height.value);
  $(".frame", viewer).replaceChildren(media);
  move(!calm.matches);
  $("#viewer-caption").textContent = $("h2", tile).textContent;
  $(".details", viewer).textContent = $(".details", tile).textContent;
  if (!viewer.open) viewer.showModal();
  viewer.scrollTop = 0;
}

function move(on) {
  const image = $(".frame img", viewer);
  if (!image) return;
  image.src = on ? $(".shot", viewed).href : $(".shot img", viewed).src;
  $("#play").setAttribute("aria-pressed", String(on));
}

function step(by) {
  const shown = tiles.filter((tile) => !tile.hidden && moves($(".shot", tile)));
  const place = shown.indexOf(viewed);
  view(shown[(place + by + shown.length) % shown.length]);
}

$("#play").addEventListener("click", () => {
  move($("#play").getAttribute("aria-pressed") !== "true");
});
$("#previous").addEventListener("click", () => step(-1));
$("#next").addEventListener("click", () => step(1));
$("#close").addEventListener("click", () => viewer.close());
viewer.addEventListener("close", () => {
  $(".frame", viewer).replaceChildren();
  $(".shot", viewed).focus();
});
viewer.addEventListener("click", (event) => {
  if (event.target === viewer) viewer.close();
});
document.addEventListener("keydown", (event) => {
  // In the video's own controls the arrows move through time.
  if (!viewer.open || event.target.matches("video")) return;
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});

calm.addEventListener("change", () => {
  for (const tile of tiles) update(tile);
  if (!calm.matches) return;
  $("video", viewer)?.pause();
  move(false);
});

// What does nothing without this script is hidden until it runs.
$(".bar").hidden = false;
const bar = $(".bar");
// The keyboard's focus must not go below it, of however many rows of tags it is.
new ResizeObserver(() => root.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);
addEventListener(
  "scroll",
  () => bar.classList.toggle("stuck", bar.getBoundingClientRect().top <= 0 && scrollY > 0),
  { passive: true },
);
filter();
