// The figures of the report, computed again from the records.

const VERDICTS = ["pass", "fail", "unknown", "not-applicable", "error"];
const OUTCOMES = ["complete", "incomplete", "failed"];
const COUNTED = [...OUTCOMES, "missing", "unfinished", "unknown"];
const BEFORE_PERIOD = 45 * DAY;

/** A figure rests on details that are not in this bundle: it cannot be computed again here. */
class NotHere extends Error {}

/** Counts what figures.json counts, while the records go by. */
class Figures {
  constructor(bundle, held) {
    this.held = held;
    const { last } = part(held, "records");
    this.last = isInteger(last) ? last : 0;
    this.asOf = "";
    this.notCompared = [];
    this.runs = new Map();
    this.results = { "backup.finished": [], "check.finished": [], "updates.finished": [] };
    this.inPeriod = 0;
    this.period = null;
    this.zone = null;
    this.since = this.start = this.end = "~"; // behind every moment
    try {
      if (bundle) this.setPeriod(bundle);
    } catch (error) {
      if (!(error instanceof Unknown || error instanceof OutsideCalendar)) throw error; // else nothing is compared, and that is shown
    }
  }

  setPeriod(bundle) {
    const zone = zoneNamed(bundle.timezone);
    const [first, last] = [dayOf(bundle.period.first), dayOf(bundle.period.last)];
    const ends = [first, inCalendar(last + DAY)].map((day) => zone.moment(day));
    [this.since, this.start, this.end] = [ends[0] - BEFORE_PERIOD, ...ends].map(atText);
    [this.startsAt, this.endsAt] = ends;
    [this.period, this.zone] = [[first, last], zone];
  }

  take(record, isTimed = true) {
    if (record.seq === this.last) this.asOf = record.at;
    if (record.seq > this.last || record.at < this.since || !isTimed) return;
    const inPeriod = this.start <= record.at && record.at < this.end;
    if (inPeriod) this.inPeriod += 1;
    if (record.kind.endsWith(".started") && record.at >= this.start) {
      const kind = record.kind.slice(0, -8);
      this.runs.set(`${record.run}\0${kind}`, { run: record.run, kind, at: record.at, inPeriod, end: null });
    } else if (record.kind.endsWith(".finished")) {
      const begun = this.runs.get(`${record.run}\0${record.kind.slice(0, -9)}`);
      if (begun) begun.end = record;
      if (record.kind in this.results && (inPeriod || record.kind === "updates.finished")) this.results[record.kind].push(record);
    }
  }

  /** Return the parts of figures.json that are not what the records give. */
  async differing(check) {
    const parts = { runs: this.countRuns, backups: this.countBackups, checks: this.countChecks, updates: this.countUpdates };
    if (!this.period || !check.bundle) {
      this.notCompared = check.source.has("figures.json") ? Object.keys(parts) : [];
      return [];
    }
    const { held } = this;
    if (!held) return ["format"];
    const { period, timezone } = check.bundle;
    const records = { first: 1, in_period: this.inPeriod, last: this.last };
    const found = { as_of: this.asOf, format: 1, period, timezone, records };
    for (const [name, compute] of Object.entries(parts)) {
      try {
        Object.assign(found, await compute.call(this, check));
      } catch (error) {
        if (!(error instanceof NotHere)) throw error;
        this.notCompared.push(name);
        for (const each of name === "updates" ? ["portal_days", "unit_weeks"] : [name]) if (each in held) found[each] = held[each];
      }
    }
    if (!this.asOf) return ["records"];
    const names = [...new Set([...Object.keys(found), ...Object.keys(held)])].sort(inOrder);
    return names.filter((name) => !(name in found && name in held) || written(found[name]) !== written(held[name]));
  }

  /** Return what a body says, null if it cannot be read as JSON. */
  async body(check, record) {
    if (check.isExcused(record.body) || !check.good.has(record.body)) throw new NotHere();
    return check.body(record.body);
  }

  async countRuns(check) {
    const counts = Object.create(null);
    const counted = (kind) => (counts[kind] ??= Object.fromEntries(COUNTED.map((name) => [name, 0])));
    await pooled([...this.runs.values()].filter((run) => run.inPeriod), async ({ kind, end }) => {
      let how = "unfinished";
      if (end) {
        const { outcome } = part(await this.body(check, end), "run");
        how = OUTCOMES.includes(outcome) ? outcome : "unknown";
      }
      counted(kind)[how] += 1;
    });
    const records = check.always.filter((record) => record.kind === "plan" && record.seq <= this.last && !check.mistimed.has(record.seq));
    const bodies = [];
    for (const record of records) bodies.push(await this.body(check, record));
    try {
      const plans = records.map((record, place) => readPlan(record, bodies[place], check.bundle.timezone));
      const starts = new Map();
      for (const run of this.runs.values()) addStart(starts, run.kind, run);
      const until = this.asOf ? momentOf(this.asOf) : this.startsAt;
      for (const { kind } of missingSlots(plans, starts, until, this.startsAt, this.endsAt)) counted(kind).missing += 1;
    } catch (error) {
      if (error instanceof LacksZone) throw new NotHere(); // this browser cannot tell: that is no fault of the bundle
      if (!(error instanceof Unknown)) throw error;
      for (const each of Object.values(counts)) each.missing = null;
    }
    return { runs: counts };
  }

  async countBackups(check) {
    const backups = { sets: 0, verified_copies: 0 };
    await pooled(this.results["backup.finished"], async (record) => {
      const result = part(await this.body(check, record), "backup");
      if (isObject(result.set)) backups.sets += 1;
      backups.verified_copies += objects(result.copies).filter((copy) => copy.state === "verified").length;
    });
    return { backups };
  }

  async newest(check, kind) {
    for (const record of [...this.results[`${kind}.finished`]].reverse()) {
      const body = await this.body(check, record);
      if (body && isObject(body[kind])) return body[kind];
    }
    return null;
  }

  async countChecks(check) {
    const newest = await this.newest(check, "check");
    const results = objects(newest?.hosts).flatMap((host) => objects(host.results));
    const counted = VERDICTS.map((verdict) => [verdict, results.filter((each) => each.verdict === verdict).length]);
    return { checks: newest && Object.fromEntries(counted) };
  }

  async countUpdates(check) {
    const newest = await this.newest(check, "updates");
    if (!newest) return { portal_days: null, unit_weeks: null };
    const days = objects(newest.portal_days).filter((each) => each.working === true);
    return {
      portal_days: this.verdicts(days, (each) => dayOf(each.day)),
      unit_weeks: this.verdicts(objects(newest.unit_weeks), (each) => mondayOf(part(each, "week"))),
    };
  }

  verdicts(found, dayOfEach) {
    const counts = Object.create(null);
    for (const each of found) {
      const day = dayOfEach(each);
      if (day === null || day < this.period[0] || day > this.period[1] || !isText(each.verdict)) continue;
      counts[each.verdict] = (counts[each.verdict] ?? 0) + 1;
    }
    return counts;
  }
}

/** Return the Monday of an ISO 8601 week, or null if there is none such. */
function mondayOf({ year, number }) {
  if (typeof year !== "number" || typeof number !== "number" || year < 1 || year > 9999 || number < 1 || number > 53) return null;
  const monday = mondayBefore(dayOf(`${String(year).padStart(4, "0")}-01-04`)) + (number - 1) * 7 * DAY;
  return weekOf(monday) === `${String(year).padStart(4, "0")}-W${String(number).padStart(2, "0")}` && isInCalendar(monday) ? monday : null;
}

/** Call with each of many, some at a time: to wait for a file takes longer than to read it. */
async function pooled(items, work, workers = 16) {
  let next = 0;
  const one = async () => {
    while (next < items.length) {
      next += 1;
      await work(items[next - 1]);
    }
  };
  await Promise.all(Array.from({ length: workers }, one));
}
