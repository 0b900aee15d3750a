"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Storage may be unavailable, as for some local files.
  const recall = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const remember = (theme) => {
    try {
      localStorage.setItem("theme", theme);
    } catch {}
  };

  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  if (["light", "dark"].includes(recall())) root.dataset.theme = recall();
  root.classList.add("has-script");

  const setUpTheme = () => {
    const button = document.querySelector(".theme");
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      const focused = document.activeElement;
      area.value = text;
      area.className = "unseen";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      focused?.focus();
      return done;
    }
  };

  const setUpCopying = () => {
    const told = document.getElementById("told");
    for (const button of all(".copy")) {
      button.addEventListener("click", async () => {
        const done = await copy(document.getElementById(button.dataset.from).textContent);
        button.textContent = done ? "Copied" : "Not copied";
        told.textContent = done ? "Copied to the clipboard" : "Could not copy";
        setTimeout(() => {
          button.textContent = "Copy";
          told.textContent = "";
        }, 2000);
      });
    }
  };

  const setUpFinding = () => {
    const words = document.getElementById("words");
    if (!words) return;
    const shown = document.getElementById("shown");
    const cards = all(".card");
    const sections = all(".cards");
    const find = () => {
      const typed = words.value.toLowerCase().split(/\s+/);
      const kind = document.querySelector("[name=kind]:checked").value;
      for (const card of cards) {
        const known = card.dataset.words;
        const fits = !kind || card.dataset.kind === kind;
        card.hidden = !(fits && typed.every((word) => known.includes(word)));
      }
      for (const section of sections) {
        section.hidden = !section.querySelector(".card:not([hidden])");
      }
      shown.textContent = `${cards.filter((card) => !card.hidden).length} of ${cards.length} examples`;
    };
    words.addEventListener("input", find);
    for (const radio of all("[name=kind]")) radio.addEventListener("change", find);
    // Going back in the browser restores the search text.
    addEventListener("pageshow", find);
  };

  // Regions that fit need no keyboard focus.
  const setUpScrolling = () => {
    const look = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const fits =
          target.scrollWidth <= target.clientWidth && target.scrollHeight <= target.clientHeight;
        target.tabIndex = fits ? -1 : 0;
      }
    });
    for (const region of all(".scroll")) look.observe(region);
  };

  addEventListener("DOMContentLoaded", () => {
    setUpTheme();
    setUpCopying();
    setUpFinding();
    setUpScrolling();
  });
})();
