// What is said, in English and in Vietnamese. VI is put in front of this by the build: the sentences of verify.py, which are the same
// here, and those of the page alone.

/** Fill in a sentence in both languages. */
function say(en, values = {}) {
  const fill = (text, language) =>
    text.replace(/\{([a-z_]+)\}/g, (_all, name) => (values[name]?.[language] !== undefined ? values[name][language] : show(values[name])));
  return { en: fill(en, "en"), vi: fill(VI[en] ?? en, "vi") };
}

/** Return text that does nothing to what stands around it: what cannot be seen is escaped, what is long is cut. */
function show(value, limit = 200) {
  const letters = Array.from(String(value));
  const cut = letters.length <= limit ? letters : [...letters.slice(0, limit), "..."];
  return cut
    .map((letter) => {
      if (letter === " " || !/^[\p{C}\p{Z}]/u.test(letter)) return letter;
      const code = letter.codePointAt(0).toString(16);
      return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
    })
    .join("");
}
