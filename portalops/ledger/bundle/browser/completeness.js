// The second verdict: whether anything that was planned is missing.

const MAX_SLOTS = 1000000;
const HOUR = 3600000;
const DAY = 24 * HOUR;
const EVERY = ["hour", "day", "week", "month"];
const KINDS = ["backup", "copy", "verify", "drill", "prune", "inventory", "check", "updates", "report", "anchor"];

/** It cannot be found out what was expected; holds why, in both languages. */
class Unknown extends Error {
  constructor(said) {
    super(said.en);
    this.said = said;
  }
}

/** This browser has no data of a time zone that there is. */
class LacksZone extends Unknown {}

/** What began and what ended, by the records that frame runs. */
class Runs {
  constructor() {
    this.open = new Map();
    this.begun = new Set();
    this.withoutBeginning = [];
    this.starts = new Map();
  }

  take(record, isTimed = true) {
    if (record.kind.endsWith(".started")) {
      const key = `${record.run}\0${record.kind.slice(0, -8)}`;
      this.open.set(key, { run: record.run, seq: record.seq, at: record.at });
      this.begun.add(key);
      if (isTimed) addStart(this.starts, record.kind.slice(0, -8), record);
    } else if (record.kind.endsWith(".finished")) {
      const key = `${record.run}\0${record.kind.slice(0, -9)}`;
      if (!this.open.delete(key) && !this.begun.has(key)) this.withoutBeginning.push(record.seq);
    }
  }
}

/** Note when a run began under the job and the slot that its id names: DUTY:JOB:SLOT or DUTY:JOB:SLOT:SUFFIX. */
function addStart(starts, kind, record) {
  const parts = record.run.split(":");
  if (parts.length < 3 || parts.length > 4 || parts.includes("")) return;
  parts.push(parts.pop().replace(/\.[1-9][0-9]*$/, "")); // the number of a further attempt
  const key = [kind, ...parts.slice(0, 3)].join(":");
  const found = starts.get(key);
  if (found) found.push(momentOf(record.at));
  else starts.set(key, [momentOf(record.at)]);
}

/** Return a plan; a `timezone` that is absent is the bundle's, as is an empty one, and a `duty` that is absent is empty. */
function readPlan(record, body, zone) {
  const plan = part(body, "plan");
  const named = "timezone" in plan ? plan.timezone : "";
  const jobs = objects(plan.jobs).map((job) => [job.id, job.kind, job.every, "duty" in job ? job.duty : ""]);
  const times = objects(plan.jobs).flatMap((job) => ["at" in job ? job.at : "", "on" in job ? job.on : ""]);
  if (
    !Array.isArray(plan.jobs) || jobs.length !== plan.jobs.length ||
    ![plan.rulebook, plan.configuration, named, ...times, ...jobs.flat()].every(isText) ||
    !jobs.every((job) => KINDS.includes(job[1]) && EVERY.includes(job[2]))
  ) {
    throw new Unknown(say("the plan in record {seq} is missing or cannot be read: the expected runs are not known", { seq: record.seq }));
  }
  return { at: momentOf(record.at), zone: named || zone, jobs };
}

/** A time zone, as the browser knows it. */
class Zone {
  constructor(name) {
    // Browsers take offsets, other letters and names that IANA has no more: none of them is a zone to the other verifiers.
    if (!ZONES.has(name)) throw new Unknown(say("{name} is no time zone of IANA's list", { name }));
    try {
      const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
      this.format = new Intl.DateTimeFormat("en-US", { ...fields, era: "short", hourCycle: "h23", timeZone: name });
    } catch {
      throw new LacksZone(say("the time zone {name} is not known here", { name }));
    }
    this.known = new Map();
  }

  /** Return how far the zone is ahead of UTC at a moment, in milliseconds. */
  offset(moment) {
    const [first, last] = [0, DAY].map((after) => this.exactOffset(Math.floor(moment / DAY) * DAY + after));
    return first === last ? first : this.computed(moment);
  }

  exactOffset(moment) {
    if (!this.known.has(moment)) this.known.set(moment, this.computed(moment));
    return this.known.get(moment);
  }

  computed(moment) {
    const found = Object.fromEntries(this.format.formatToParts(moment).map((each) => [each.type, each.value]));
    const local = new Date(0);
    local.setUTCFullYear(found.era === "BC" ? 1 - found.year : found.year, found.month - 1, found.day);
    local.setUTCHours(found.hour, found.minute, found.second);
    return local.getTime() - Math.floor(moment / 1000) * 1000;
  }

  /** Return the wall's time at a moment, as if it were UTC. */
  local(moment) {
    return inCalendar(moment + this.offset(moment));
  }

  /** Return the moment of a wall's time: the earlier of two; in a gap, by the offset before it. */
  moment(local) {
    const [before, after] = [this.offset(local - DAY), this.offset(local + DAY)];
    for (const offset of [before, after]) if (this.offset(local - offset) === offset) return inCalendar(local - offset);
    return inCalendar(local - before);
  }
}

function inCalendar(moment) {
  if (!isInCalendar(moment)) throw new OutsideCalendar();
  return moment;
}

function following(every, start) {
  if (every !== "month") return inCalendar(start + { hour: HOUR, day: DAY, week: 7 * DAY }[every]);
  const next = new Date(inCalendar(start + 32 * DAY));
  return next.setUTCDate(1);
}

const mondayBefore = (day) => day - ((Math.floor(day / DAY) + 3) % 7 + 7) % 7 * DAY; // 1970 began on a Thursday

/** Name the ISO 8601 week that a day lies in. */
function weekOf(day) {
  const thursday = new Date(mondayBefore(day) + 3 * DAY);
  const first = new Date(thursday).setUTCMonth(0, 1);
  const number = Math.floor((thursday.getTime() - first) / (7 * DAY)) + 1;
  return `${String(thursday.getUTCFullYear()).padStart(4, "0")}-W${String(number).padStart(2, "0")}`;
}

/** Yield name, start and end of the local hours, days, ISO weeks or months that lie wholly between two moments. */
function* slots(every, first, end, zone) {
  const local = zone.local(first);
  let start = Math.floor(local / (every === "hour" ? HOUR : DAY)) * (every === "hour" ? HOUR : DAY);
  if (every === "week") start = inCalendar(mondayBefore(start));
  else if (every === "month") start = new Date(start).setUTCDate(1);
  if (start < local) start = following(every, start);
  for (;;) {
    const after = following(every, start);
    const [startAt, endAt] = [zone.moment(start), zone.moment(after)];
    if (endAt > end) return;
    if (startAt >= endAt) {
      start = after; // its local time is left out: nothing could run in it
      continue;
    }
    const text = atText(start);
    yield [{ hour: text.slice(0, 13), day: text.slice(0, 10), week: weekOf(start), month: text.slice(0, 7) }[every], startAt, endAt];
    start = after;
  }
}

/**
 * Return the slots in which a planned job left no run, up to a moment. A slot counts if it lies wholly within a time in which the
 * job was planned unchanged; a run counts for it that is of its kind, bears its name, and began in it, or within the hour after it.
 */
function missingSlots(plans, starts, until, since = -Infinity, before = Infinity) {
  const spans = [];
  const current = new Map();
  for (const plan of plans) {
    if (plan.at >= until) break;
    const planned = new Map(plan.jobs.map((job) => [JSON.stringify([job, plan.zone]), { job, zone: plan.zone }]));
    for (const [key, each] of current) {
      if (planned.has(key)) continue;
      spans.push([each, plan.at]);
      current.delete(key);
    }
    for (const [key, each] of planned) if (!current.has(key)) current.set(key, { ...each, began: plan.at });
  }
  for (const each of current.values()) spans.push([each, until]);
  const found = [];
  let seen = 0;
  try {
    for (const [{ job: [id, kind, every, duty], zone, began }, endedAt] of spans) {
      for (const [slot, start, end] of slots(every, Math.max(began, since), endedAt, zoneNamed(zone))) {
        seen += 1;
        if (start >= before) break;
        if (seen > MAX_SLOTS) throw new OutsideCalendar();
        const last = inCalendar(end + HOUR);
        if (!(starts.get([kind, duty || kind, id, slot].join(":")) ?? []).some((at) => at >= start && at < last)) found.push({ start, job: id, kind, slot });
      }
    }
  } catch (error) {
    if (error instanceof OutsideCalendar) throw new Unknown(say("a plan is outside the calendar"));
    throw error;
  }
  return found.sort((a, b) => a.start - b.start || inOrder(a.slot + a.job, b.slot + b.job));
}

const zones = new Map();

function zoneNamed(name) {
  if (!zones.has(name)) zones.set(name, new Zone(name));
  return zones.get(name);
}

/** Find out what is missing, as of the last record. */
async function completenessOf(check) {
  const found = { problem: null, missing: [], crashed: [...check.runs.open.values()], unbegun: check.runs.withoutBeginning };
  Object.assign(found, await waiversInForce(check));
  try {
    if (!check.bundle || !check.lastAt) throw new Unknown(say("bundle.json lacks what is needed"));
    zoneNamed(check.bundle.timezone);
    const records = check.always.filter((record) => record.kind === "plan" && !check.mistimed.has(record.seq) && check.counts(record));
    if (!records.length) {
      throw new Unknown(
        say("no plan is recorded, so the expected runs are not known: ask for a bundle made after a 'portalops run', which records the plan"),
      );
    }
    const plans = [];
    for (const record of records) {
      plans.push(readPlan(record, check.withheld.has(record.body) ? null : await check.body(record.body), check.bundle.timezone));
    }
    found.missing = missingSlots(plans, check.runs.starts, momentOf(check.lastAt));
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    found.problem = error.said;
  }
  found.holds = found.problem ? null : !found.missing.length && !found.unbegun.length;
  return found;
}

/** Return the waivers in force on some day of the period, and the records of waivers that cannot be read. */
async function waiversInForce(check) {
  const granted = [];
  const unread = [];
  for (const record of check.always) {
    if (record.kind !== "waiver.granted" && record.kind !== "waiver.withdrawn") continue;
    const held = readWaiver(record.kind, await check.body(record.body));
    if (!held) unread.push(record.seq);
    if (record.kind === "waiver.granted") {
      if (held) granted.push({ seq: record.seq, held, withdrawn: "" });
      continue;
    }
    // A withdrawal that cannot be read may be of any waiver granted before it.
    const ended = held ? granted.filter((each) => each.held.id === held.id).slice(-1) : granted;
    for (const each of ended) each.withdrawn ||= record.at;
  }
  const { period, zone } = check.figures;
  const waivers = granted.filter(({ held, withdrawn }) => {
    if (!period) return false;
    let last = dayOf(held.valid_to);
    if (withdrawn) last = Math.min(last, dayBefore(withdrawn, zone));
    return Math.max(dayOf(held.valid_from), period[0]) <= Math.min(last, period[1]);
  });
  return { waivers, unreadWaivers: unread };
}

/** Return what a waiver record's details say, or null if they are not as portalops writes them. */
function readWaiver(kind, body) {
  const isGrant = kind === "waiver.granted";
  const held = part(body, isGrant ? "waiver" : "withdrawal");
  if (isGrant && (dayOf(held.valid_from) === null || dayOf(held.valid_to) === null)) return null;
  const names = ["id", "reason", "approved_by", ...(isGrant ? ["duty", "subject", "document"] : [])];
  return names.every((name) => isWellFormed(held[name])) ? held : null;
}

const dayBefore = (at, zone) => {
  const moment = momentOf(at);
  return Math.floor((moment + zone.offset(moment)) / DAY) * DAY - DAY;
};
