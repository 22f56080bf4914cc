"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

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
