"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

/** The colour that a custom property is now, which may be one of two, for light and dark. */
function colourOf(canvas, name) {
  canvas.style.color = `var(${name})`;
  return getComputedStyle(canvas).color;
}

/** A number in four digits or so, as a person writes it. */
function short(value) {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1000) return value.toFixed(0);
  if (value && Math.abs(value) < 1e-4) return Number(value.toPrecision(3)).toExponential();
  return String(Number(value.toPrecision(4)));
}

// Light or dark: as the system has it, until the button says otherwise.

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function remembered(value) {
  // A page on a disk may have no storage.
  try {
    if (value) localStorage.setItem("color-scheme", value);
    return localStorage.getItem("color-scheme");
  } catch {
    return null;
  }
}

root.style.colorScheme = remembered() ?? "";
$("#theme").addEventListener("click", () => {
  const now = root.style.colorScheme || (systemDark.matches ? "dark" : "light");
  root.style.colorScheme = now === "dark" ? "light" : "dark";
  remembered(root.style.colorScheme);
});
$("#theme").hidden = false;
