// The page: what is chosen goes into the check, and what comes of it is shown in either language.

const MAX_SHOWN = 20;
const LIMITS = [
  "It cannot show that a statement was true when it was recorded.",
  "A holder of the signing key can rewrite everything and sign it again. Only heads, codes, time stamps or keys that you received earlier and kept yourself show that. Give them under “What you kept yourself”.",
  "Backdating is found only up to the newest head, code or time stamp that was kept elsewhere.",
  "Completeness is measured by the plans recorded in this ledger; what was never planned is not missed.",
  "The signature inside a time stamp is not checked here: HOW-TO-VERIFY shows openssl ts -verify.",
  "A browser shows a symbolic link as the file that it leads to, and no empty folder: verify.py sees both.",
];

const byId = (id) => document.getElementById(id);
let language = "vi";
let source = null; // what was chosen
let shown = null; // builds what stands under "Result", in the language of now
let state = { en: "", vi: "" };
let run = 0;

/** Make an element that holds texts and other elements. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((each) => each !== null));
  return made;
}

const list = (items) => element("ul", {}, ...items.map((each) => element("li", {}, each)));
const here = (en, values) => say(en, values)[language];

function setLanguage(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  document.title = here("Verify a bundle");
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = here(each.dataset.say);
  for (const each of ["vi", "en"]) byId(each).setAttribute("aria-pressed", String(each === chosen));
  byId("state").textContent = state[language];
  if (shown) byId("result").replaceChildren(...shown());
}

function report(said) {
  state = said;
  byId("state").textContent = said[language];
}

/** Return what shows how far the check is: a call with each number of bytes that were read. */
function progressOf(total) {
  let [done, last] = [0, 0];
  return (bytes) => {
    done += bytes;
    if (performance.now() - last < 250) return;
    last = performance.now();
    const part = Math.min(done / total, 1);
    byId("progress").value = part * 1000;
    const mebibytes = (count) => Math.round(count / (1 << 20));
    report(say("Checking: {percent} %, {done} of {total} MiB", { percent: Math.floor(part * 100), done: mebibytes(done), total: mebibytes(total) }));
  };
}

/** Verify what was chosen, with what was kept; a later choice ends an earlier one's say. */
async function verify() {
  if (!source) return;
  run += 1;
  const own = run;
  byId("result").hidden = true;
  byId("progress").hidden = false;
  delete byId("result").dataset.exitCode;
  let outcome;
  try {
    if (!globalThis.crypto?.subtle) throw new Error(here("This browser cannot compute digests here. Open the page in a newer browser, or use verify.py."));
    const sizes = [...source.entries.values()].map((each) => each?.size ?? 0);
    const total = sizes.reduce((sum, each) => sum + each, 0) + 2 * source.size("ledger.jsonl");
    const { supplied, trusted } = await kept();
    const advance = progressOf(Math.max(total, 1));
    const check = await new Check(source, supplied, trusted, (bytes) => own === run && advance(bytes)).run();
    const complete = await completenessOf(check);
    outcome = { code: check.faultCount ? 5 : { null: 3, false: 1, true: check.unclaimed.length || check.unproven.size ? 3 : 0 }[complete.holds], check, complete };
  } catch (error) {
    outcome = failureOf(error);
  }
  if (own === run) showOutcome(outcome);
}

/** Return what the auditor kept: heads and codes, and keys or null. */
async function kept() {
  const bytes = async (file) => new Uint8Array(await file.slice(0, MAX_SMALL + 1).arrayBuffer());
  const supplied = [];
  for (const file of byId("heads").files) supplied.push(readSuppliedHead(file.name, await bytes(file)));
  for (const code of byId("codes").value.split("\n").filter((each) => stripped(each))) supplied.push(readSuppliedCode(code));
  const [file] = byId("signers").files;
  return { supplied, trusted: file ? readTrusted(file.name, await bytes(file)) : null };
}

/** Nothing is known where this program failed, and that must not look like a verdict. */
function failureOf(error) {
  if (error instanceof NotABundle) return { code: 2, said: error.said };
  console.error(error);
  return { code: 70, said: say("this program failed, so there is no verdict: {why}", { why: String(error) }) };
}

function showOutcome({ code, check, complete, said }) {
  const result = byId("result");
  byId("progress").hidden = true;
  report({ en: "", vi: "" });
  shown = () => [
    element("h2", { id: "result-title" }, here("Result")),
    ...(check ? verdicts(check, complete) : [element("p", { class: "sentence bad" }, said[language])]),
    element("p", {}, element("small", {}, here("Exit code as of verify.py: {code}", { code }))),
    ...(check ? [jsonOf(check, complete, code)] : []),
  ];
  result.replaceChildren(...shown());
  result.dataset.exitCode = code;
  result.hidden = false;
  byId("again").disabled = false;
  result.focus();
}

function verdicts(check, complete) {
  const unsure = complete.holds === null || (complete.holds && check.unclaimed.length + check.unproven.size > 0);
  const tone = check.faultCount ? "bad" : unsure ? "unsure" : complete.holds ? "good" : "bad";
  const portal = check.bundle?.portal ?? { en: "?", vi: "?" };
  return [
    element("p", { class: `sentence ${tone}` }, sentence(check, complete)),
    element("p", {},
      here("Bundle of ledger {ledger}, portal {portal}", { ledger: check.ledger ?? "?", portal: show(portal[language]) }),
      element("br", {}),
      here("Records: {n}, {first} .. {last}", { n: check.records, first: check.firstAt, last: check.lastAt }),
    ),
    element("h3", {}, here("INTEGRITY: whether anything was changed")),
    element("p", { class: check.faultCount ? "bad" : "good" }, here(check.faultCount ? "  Verdict: DOES NOT HOLD" : "  Verdict: holds").trim()),
    list(integrityLines(check)),
    ...faultTable(check),
    element("h3", {}, here("COMPLETENESS: whether anything expected is missing, as of {at}", { at: check.lastAt })),
    ...completenessParts(check, complete),
    element("h3", {}, here("What was compared")),
    list(comparedLines(check)),
    element("h3", {}, here("WHAT THIS CANNOT SHOW")),
    list(LIMITS.map((limit) => here(limit))),
  ];
}

function sentence(check, complete) {
  const whole = say(
    { null: "it is not known whether anything expected is missing", false: "something expected is missing", true: "nothing expected is missing" }[complete.holds],
  );
  if (!check.faultCount && check.unclaimed.length) {
    const n = check.unclaimed.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const [[seq]] = check.unclaimed;
    return here("RESULT: nothing was changed since it was signed, but no writer claims {n} records, the first is {seq} ({whole}).", { n, seq, whole });
  }
  if (!check.faultCount && check.unproven.size) {
    const seq = Math.min(...check.unproven);
    return here("RESULT: nothing was changed since it was signed, but whether what record {seq} sets aside counts could not be found out ({whole}).", { seq, whole });
  }
  if (!check.faultCount) return here("RESULT: nothing was changed since it was signed, and {whole}.", { whole });
  if (check.firstBad !== null) return here("RESULT: this bundle was changed: do not trust it from record {seq} on ({whole}).", { seq: check.firstBad, whole });
  return here("RESULT: files of this bundle were changed: do not trust it, although the records themselves join ({whole}).", { whole });
}

function integrityLines(check) {
  const found = [];
  const add = (en, values) => found.push(here(en, values).trim());
  const newest = check.heads.at(-1);
  if (newest) {
    add("  Heads that hold: {n}; the newest: {code}, {at}", { n: check.heads.length, code: codeOf(newest.head), at: newest.head.at });
    add("  signed by the key {key}", { key: fingerprint(newest.signer) });
  }
  check.keys.forEach((key, place) => {
    if (check.speaksForItself(key, place) && !check.aside.has(key.added.seq)) {
      add("  NOTE: the key {key} (record {seq}) is confirmed by no earlier key.", { key: fingerprint(key.key), seq: key.added.seq });
    }
  });
  for (const { name, holds } of check.compared) add(holds ? "  Your {name}: it holds" : "  Your {name}: it DOES NOT HOLD", { name });
  if (!check.compared.length) add("  NOTE: you gave no head of your own, so a ledger rewritten by a holder of its key would not be found.");
  for (const { path, size, at } of check.anchored) add("  Time stamp {path}: {n} records, {at}", { path, n: size, at });
  for (const each of check.signOffs) {
    const file = check.reports.get(each.sha256);
    const which = file
      ? say("it is {file} of this bundle", { file })
      : say("it is NOT a report of this bundle; ask for the file whose sha256sum is {digest}", { digest: each.sha256 });
    add("  {name}, {office}, signed a report named {report}: {which}", { ...each, which });
  }
  for (const { seq, signer } of check.drills) {
    add("  Record {seq}: a drill of another host, signed with the key {key}", { seq, key: fingerprint(signer) });
  }
  for (const { record, first, last, by, second, key, reason } of check.quarantines.slice(0, MAX_SHOWN)) {
    add("  NOTE: records {first} to {last} were set aside on {day} by {by} and {second} (key {key}): {reason}", {
      first, last, day: record.at.slice(0, 10), by, second, key: fingerprint(key), reason,
    });
  }
  if (check.quarantines.length > MAX_SHOWN) add("... and {n} more (the JSON below has them all)", { n: check.quarantines.length - MAX_SHOWN });
  for (const seq of [...check.unproven].sort((a, b) => a - b).slice(0, MAX_SHOWN)) {
    add("  NOTE: what record {seq} sets aside is said to lack its details, which this bundle leaves out or has: that could not be found out.", { seq });
  }
  for (const { first, last, since, by, second, key, reason } of check.mended.slice(0, MAX_SHOWN)) {
    add("  NOTE: the times of records {first} to {last} are wrong, and right from {since} on, say {by} and {second} (key {key}): {reason}", {
      first, last, since, by, second, key: fingerprint(key), reason,
    });
  }
  if (check.mended.length > MAX_SHOWN) add("... and {n} more (the JSON below has them all)", { n: check.mended.length - MAX_SHOWN });
  const owners = check.owners();
  for (const [first, last] of check.unclaimed.slice(0, MAX_SHOWN)) add("  NOTE: no writer claims records {first} to {last}.", { first, last });
  for (const { first, last, writer } of owners.slice(0, MAX_SHOWN)) {
    add("  Records {first} to {last} were recorded by {name} (key {key})", { first, last, name: writer.name, key: fingerprint(writer.key) });
  }
  if (owners.length > MAX_SHOWN) add("... and {n} more (the JSON below has them all)", { n: owners.length - MAX_SHOWN });
  if (check.firstBad !== null) add("  The first record that cannot be trusted is {seq}.", { seq: check.firstBad });
  return found;
}

function faultTable(check) {
  if (!check.faultCount) return [];
  const faults = check.firstFaults();
  const rows = faults.slice(0, MAX_SHOWN).map(({ seq, what }) =>
    element("tr", {}, element("td", {}, seq ? String(seq) : "-"), element("td", {}, what[language])),
  );
  const more = check.faultCount - Math.min(MAX_SHOWN, faults.length);
  return [
    element("table", {},
      element("caption", {}, here("Faults")),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, here("Record")), element("th", { scope: "col" }, here("Fault")))),
      element("tbody", {}, ...rows),
    ),
    more > 0 ? element("p", {}, here("  ... and {n} more", { n: more }).trim()) : "",
  ];
}

function completenessParts(check, complete) {
  const verdict = { null: ["unsure", "  Verdict: UNKNOWN"], false: ["bad", "  Verdict: DOES NOT HOLD"], true: ["good", "  Verdict: holds"] }[complete.holds];
  const reasons = (map) => [...map].sort(([a], [b]) => inOrder(a, b)).map(([digest, reason]) => `${digest}: ${reason}`);
  const lists = [
    ["Planned runs without a record", complete.missing.map((each) => `${each.job} ${each.slot}`)],
    ["Runs that started but did not finish", complete.crashed.map((each) => `${each.run} (${each.seq})`)],
    ["Ends without a start, by record", complete.unbegun.map(String)],
    ["Details withheld", reasons(check.withheld)],
    ["Details erased", reasons(check.erased)],
    ["Waivers in force in the period", complete.waivers.map(waiverText)],
    ["Records of waivers that cannot be read", complete.unreadWaivers.map(String)],
  ];
  const items = (complete.problem ? lists.slice(1) : lists).map(([what, held]) => {
    const item = element("div", {}, `${here(what)}: ${held.length}`);
    if (held.length) item.append(list(held.slice(0, MAX_SHOWN).map((each) => show(each))));
    if (held.length > MAX_SHOWN) item.append(here("... and {n} more (the JSON below has them all)", { n: held.length - MAX_SHOWN }));
    return item;
  });
  return [
    element("p", { class: verdict[0] }, here(verdict[1]).trim()),
    complete.problem ? element("p", {}, complete.problem[language]) : "",
    list(items),
  ];
}

const waiverText = ({ seq, held, withdrawn }) =>
  `${held.id} ${held.valid_from}..${held.valid_to} (${seq}) ${held.reason}${withdrawn ? ` ${here("withdrawn")} ${withdrawn}` : ""}`;

function comparedLines(check) {
  const { notCompared } = check.figures;
  const isDifferent = check.firstFaults().some(({ what }) => what.en.startsWith("figures.json:"));
  const figures = isDifferent
    ? say("not equal, see the faults")
    : notCompared.length
      ? say("not computed again: {names}", { names: notCompared.join(", ") })
      : say("computed again, equal");
  return [
    here("Files and their digests in SHA256SUMS: {n}", { n: check.paths.filter((path) => !path.startsWith("SHA256SUMS")).length }),
    here("Records in the chain: {n}", { n: check.records }),
    here("Details of records with their digests: {n}", { n: check.good.size }),
    here("Sign-offs and drills with their signatures: {n}", { n: check.signOffs.length + check.drills.length }),
    here("Figures of the report: {names}", { names: figures }),
  ];
}

/** The shape of `verify.py --json`, with the exit code in front. */
function jsonOf(check, complete, code) {
  const newest = check.heads.at(-1);
  const data = {
    exit_code: code,
    ledger: check.ledger,
    integrity: {
      holds: !check.faultCount, first_bad: check.firstBad, fault_count: check.faultCount,
      faults: check.firstFaults().map(({ seq, what }) => ({ seq, what: what.en })),
      records: check.records, first_at: check.firstAt, last_at: check.lastAt, head: check.headDigest,
      code: newest ? codeOf(newest.head) : "", heads: check.heads.length, keys: check.keys.map((each) => fingerprint(each.key)),
      brought: check.compared,
      time_stamps: check.anchored.map(({ path, size, at }) => ({ file: path, size: Number(size), at })),
      sign_offs: check.signOffs.map((each) => ({ report: each.report, signer: each.signer, file: check.reports.get(each.sha256) ?? null })),
      writers: check.writers.map(({ name, key, authority, added, ended }) => ({ name, key: fingerprint(key), authority, added, ended })),
      claimed: check.owners().map(({ first, last, writer }) => ({ first, last, by: writer.name })),
      unclaimed: check.unclaimed.map(([first, last]) => ({ first, last })),
      set_aside: check.quarantines.map(({ record, first, last, by, second, key, reason }) => ({
        seq: record.seq, at: record.at, first, last, by, second, key: fingerprint(key), reason, proven: !check.unproven.has(record.seq),
      })),
      mended_clocks: check.mended.map(({ record, first, last, since, by, second, key, reason }) => ({
        seq: record.seq, at: record.at, first, last, since, by, second, key: fingerprint(key), reason,
      })),
      drills: check.drills.map(({ seq, signer }) => ({ seq, key: fingerprint(signer) })),
      not_compared: check.figures.notCompared,
    },
    completeness: {
      holds: complete.holds, problem: complete.problem?.en ?? null,
      missing: complete.missing.map(({ job, slot }) => ({ job, slot })),
      crashed: complete.crashed.map(({ run: id, seq, at }) => ({ id, seq, started_at: at })),
      unbegun: complete.unbegun, withheld: [...check.withheld.keys()].sort(), erased: [...check.erased.keys()].sort(inOrder),
      waivers: complete.waivers.map((each) => each.seq), unread_waivers: complete.unreadWaivers,
    },
    limits: LIMITS,
  };
  return element("details", {}, element("summary", {}, here("Result as JSON")), element("pre", { id: "json", lang: "en" }, JSON.stringify(data, null, 1)));
}

/** Take what was chosen, and verify it. */
async function choose(chosen) {
  report(say("Reading the folder"));
  try {
    source = await chosen();
  } catch (error) {
    source = null;
    run += 1;
    showOutcome(failureOf(error));
    return;
  }
  await verify();
}

for (const each of ["vi", "en"]) byId(each).addEventListener("click", () => setLanguage(each));
for (const each of ["folder", "zip"]) byId(`choose-${each}`).addEventListener("click", () => byId(each).click());
byId("folder").addEventListener("change", ({ target }) => {
  const files = [...target.files];
  target.value = ""; // so that the same folder can be chosen again
  if (files.length) choose(async () => sourceOfFiles(files));
});
byId("zip").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (file) choose(() => sourceOfZip(file));
});
byId("again").addEventListener("click", verify);
addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
addEventListener("dragleave", () => byId("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const [file] = event.dataTransfer.files;
  // Chromium gives a page that was opened from a disk no file of an entry, so a ZIP file is taken as the file that it is.
  if (entries.length === 1 && entries[0].isFile) choose(() => sourceOfZip(file));
  else if (entries.length) choose(() => sourceOfEntries(entries));
});
setLanguage((navigator.language ?? "vi").startsWith("en") ? "en" : "vi");
