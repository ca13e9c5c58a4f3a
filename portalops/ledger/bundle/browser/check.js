// The check (docs/bundle-format.md, "What is checked"); a number in a comment such as (4) is the point of that page.

const MAX_FAULTS = 100;
const KEPT = ["ledger.created", "ledger.upgraded", "ledger.moved", "head", "key.added", "key.retired", "blob.erased", "sign-off", "claim", "writer.added", "writer.ended", "ledger.quarantined", "ledger.clock-mended"];
const NEVER_ERASED = [...KEPT, "plan"];
const ANYBODYS = ["ledger.moved", "key.retired"]; // kinds that can be set aside whoever recorded them
const CLAIM_KINDS = ["claim", "writer.added", "writer.ended"];
const BY_TWO = ["ledger.quarantined", "ledger.clock-mended"]; // kinds that two persons sign
const SELF_SIGNED = ["head", ...CLAIM_KINDS, ...BY_TWO]; // kinds that nobody needs to claim
const BY_AUTHORITY = ["plan", "blob.erased", "ledger.moved"];
const GRACE = 60 * 60 * 1000; // how long a record may stand without a claim
const PLANNING = ["plan", "waiver.granted", "waiver.withdrawn"]; // kinds that say what is expected
const ALWAYS = new Set([...KEPT, ...PLANNING]);
const NEEDED = ["bundle.json", "ledger.jsonl", "SHA256SUMS"];
const SIGN_OFF = ["report", "sha256", "signer", "name", "office", "public_key", "text", "signature"];

/** Say whether a key is the ledger's own: whoever may append can add another. */
const isConfirmed = ({ isKnown, vouched }) => isKnown || vouched !== null;

/** Say whether a key signs in a record, at a time: where its retirement stands decides, not what time that has. */
const signs = ({ begin, retired }, seq, at) => begin <= at && (!retired || seq < retired.seq);

/** Say whether one of some keys is confirmed and may sign in a record, at a time. */
const isHeldAt = (keys, signer, seq, at) => keys.some((each) => each.key === signer && isConfirmed(each) && signs(each, seq, at));

/** Goes over a bundle once, keeps what it found, and judges nothing that it could not read. */
class Check {
  constructor(source, supplied, trusted, advance) {
    this.source = source;
    this.supplied = supplied;
    this.trusted = trusted;
    this.advance = advance;
    this.faults = [];
    this.faultCount = 0;
    this.published = new Map(); // the heads that have files, by their names
    this.authentic = new Set(); // records of heads by confirmed keys
    this.speaking = new Set(); // heads, claims, writers and quarantines that count
    this.malformed = []; // lines that are no records
    this.suspects = new Set(); // records that quarantines speak of
    this.losable = new Set(); // those of them of which two persons may say that the details are missing
    this.doubtful = new Set(); // those of these whose details are here, or need not be here
    this.unproven = new Set(); // quarantines that count by these alone
    this.ofSuspects = new Set(); // details and evidence of suspects that are here
    this.copies = new Map(); // heads that say again what one before them says: that one's record
    this.open = []; // what is wrong with those alone
    this.back = []; // records before their time, and that time
    this.isEarly = false; // a record has an earlier time than one before it
    this.mended = []; // that count
    this.mistimed = new Set(); // records whose time they say is wrong
    this.quarantines = []; // that count
    this.aside = new Set(); // records that they set aside
    this.contradicting = new Map(); // claims with another digest than the line's: their writers' keys
    this.anybodys = new Set(); // records that can be set aside whoever recorded them
    this.good = new Set(); // blobs that are there and have the digest that is their name
    this.evidence = new Map(); // of bodies that belong to the bundle: what they name
    this.always = [];
    this.imported = [];
    this.scope = { places: [], digests: [], kinds: [] }; // records whose body must be there
    this.records = 0;
    this.firstAt = this.lastAt = "";
    this.headDigest = GENESIS;
    this.heads = []; // that hold
    this.keys = [];
    this.erased = new Map();
    this.anchored = [];
    this.signOffs = [];
    this.drills = [];
    this.writers = [];
    this.claimed = []; // ascending
    this.unheeded = []; // first and last of records whose plans and erasures count for nothing
    this.unclaimed = []; // first and last of what nobody claimed in time
    this.reports = new Map();
    this.compared = [];
    this.runs = new Runs();
  }

  async run() {
    this.bundle = await this.readBundle();
    this.withheld = new Map((this.bundle?.withheld ?? []).map((each) => [each.digest, each.reason]));
    this.figures = new Figures(this.bundle, await this.readFigures());
    await this.checkChain();
    await this.checkFiles();
    await this.checkSigned();
    for (const name of await this.figures.differing(this)) {
      this.fault(0, "figures.json: {name} does not equal what is computed from the records", { name });
    }
    return this;
  }

  fault(seq, en, values = {}) {
    this.faultCount += 1;
    this.faults.push({ seq, what: say(en, { seq, ...values }) });
    if (this.faults.length > 2 * MAX_FAULTS) this.faults = this.firstFaults();
  }

  /** Name a fault of a record alone; of a suspect it waits for `settle`. */
  excusable(seq, en, values = {}, at = seq) {
    if (this.suspects.has(seq)) this.open.push([seq, en, values, at]);
    else this.fault(at, en, values);
  }

  /** Return the faults by record; those of no record come last. */
  firstFaults() {
    return [...this.faults].sort((a, b) => (a.seq || Infinity) - (b.seq || Infinity) || 0).slice(0, MAX_FAULTS);
  }

  get firstBad() {
    const found = this.faults.map((each) => each.seq).filter(Boolean);
    return found.length ? Math.min(...found) : null;
  }

  isExcused(digest) {
    return this.withheld.has(digest) || this.erased.has(digest);
  }

  async readBundle() {
    for (const name of NEEDED) {
      if (!(await this.isReadable(name))) {
        throw new NotABundle(say("this is not a bundle: {folder} has no readable file {name}", { folder: this.source.name, name }));
      }
    }
    const data = (await this.source.read("bundle.json", MAX_BODY)) ?? NO_BYTES;
    const held = jsonOrNull(data);
    if (isObject(held) && isInteger(held.format) && held.format > 4) {
      throw new NotABundle(say("this bundle is of a newer format, {version}: it needs a newer verify.html", { version: held.format }));
    }
    if (isObject(held) && isBundle(held) && `${written(held)}\n` === fromUtf8(data)) return held;
    this.fault(0, "bundle.json does not have the format that portalops writes");
    return null;
  }

  /** Say whether a file can be read, to its end where a ZIP file says what its end is. */
  async isReadable(name) {
    try {
      for await (const _piece of this.source.pieces(name)) if (!(this.source.entries.get(name) instanceof ZippedFile)) break;
      return true;
    } catch (error) {
      if (error instanceof Unreadable) return false;
      throw error;
    }
  }

  async readFigures() {
    const data = (await this.source.read("figures.json")) ?? NO_BYTES;
    const held = jsonOrNull(data);
    return isObject(held) && `${written(held)}\n` === fromUtf8(data) ? held : null;
  }

  // -- (1) the files, and their digests

  async checkFiles() {
    const known = [];
    for (const path of [...this.source.entries.keys()].sort(inOrder)) {
      if (FILES.test(path) && this.source.has(path)) known.push(path);
      else this.fault(0, "{path} does not belong here", { path });
    }
    this.paths = known;
    const listed = await this.readSums();
    const bodies = new Set(this.scope.digests);
    await pooled(
      known.filter((path) => !path.startsWith("SHA256SUMS")),
      async (path) => {
        let digest = await this.digest(path, bodies);
        if (digest && path.startsWith("report.")) {
          const first = this.reports.get(digest);
          if (!first || path < first) this.reports.set(digest, path);
        }
        const stands = listed.get(path);
        listed.delete(path);
        if (path.startsWith("blobs/")) {
          // What it should be is its name: see (3).
          if (digest === path.slice(6)) this.good.add(digest);
          digest = path.slice(6);
        }
        if (stands === undefined) this.fault(0, "{path} is not listed in SHA256SUMS", { path });
        else if (stands !== digest) this.fault(0, "{path} does not match its digest in SHA256SUMS", { path });
      },
      12,
    );
    this.listedOnly = [...listed.keys()].sort();
  }

  /** Return a file's SHA-256, or "" if it cannot be read; note what it names if it is the body of a record. */
  async digest(path, bodies) {
    const size = this.source.size(path);
    const isBody = path.startsWith("blobs/") && bodies.has(path.slice(6));
    try {
      if (size > PIECE && !(isBody && size <= MAX_BODY)) {
        const hash = new Sha256();
        for await (const piece of this.source.pieces(path)) {
          hash.update(piece);
          this.advance(piece.length);
        }
        return hash.hex();
      }
      const data = await this.source.read(path, size);
      if (data === null) return "";
      this.advance(size);
      const digest = hexOf(await digestOf("SHA-256", data));
      const body = isBody && digest === path.slice(6) ? jsonOrNull(data) : null;
      const named = isObject(body) ? evidenceIn(body) : [];
      if (named.length) this.evidence.set(digest, named);
      return digest;
    } catch (error) {
      if (error instanceof Unreadable) return "";
      throw error;
    }
  }

  async readSums() {
    const listed = new Map();
    let [before, number] = ["", 0];
    await this.source.eachLine("SHA256SUMS", 1000, (line, ended) => {
      number += 1;
      if (number > this.paths.length + MAX_FAULTS) {
        this.fault(0, "SHA256SUMS has many more lines than there are files");
        return false; // each line is of one file, so this list is none
      }
      const found = /^([0-9a-f]{64}) {2}([A-Za-z0-9._/-]+)$/.exec(latin(line));
      const path = found?.[2] ?? "";
      if (!found || !ended || !FILES.test(path) || path.startsWith("SHA256SUMS") || path <= before) {
        this.fault(0, "line {line} of SHA256SUMS is not in the format of sha256sum, or not in order", { line: number });
      }
      if (found) {
        before = path;
        listed.set(path, found[1]);
      }
      return true;
    });
    return listed;
  }

  // -- (2) the chain

  async checkChain() {
    let [place, head, latest, sound] = [0, GENESIS, "", true];
    const first = this.bundle?.blobs.first ?? Infinity;
    await this.source.eachLine("ledger.jsonl", MAX_LINE, (line, ended) => {
      place += 1;
      this.advance(line.length + 1);
      const record = parseRecord(line);
      sound = this.checkRecord(place, record, head);
      if (!ended) this.fault(place, "record {seq} does not end in a line feed");
      head = sha256(line);
      if (!record) return;
      if (record.at < latest) this.isEarly = true;
      else if (sound) latest = record.at;
      record.seq = place;
      record.body = latin(line.subarray(41, 105)); // a string of its own, which does not hold the whole line
      this.firstAt ||= record.at;
      this.lastAt = record.at;
      const isAlways = ALWAYS.has(record.kind);
      if (isAlways) this.always.push(record);
      else if (record.kind === "drill.imported") this.imported.push(record);
      if (isAlways || place >= first) {
        this.scope.places.push(place);
        this.scope.digests.push(record.body);
        this.scope.kinds.push(NEVER_ERASED.includes(record.kind) ? record.kind : "");
      }
      this.runs.take(record);
      this.figures.take(record);
    });
    [this.records, this.headDigest] = [place, head];
    this.checkEnd(sound);
  }

  checkEnd(sound) {
    const { records: place, bundle } = this;
    if (!place) this.fault(1, "the ledger has no records");
    else if (!bundle) return;
    else if (bundle.records > place) this.fault(place + 1, "records {seq} to {last} are missing", { last: bundle.records });
    else if (bundle.records < place) this.fault(bundle.records + 1, "record {seq} was added after the last record");
    else if (bundle.head !== this.headDigest && sound) this.fault(place, "record {seq} is not the last record");
  }

  /** Name what is wrong with one line; say whether the line itself is sound. (Its neighbour may not be.) */
  checkRecord(place, record, head) {
    if (!record) {
      this.malformed.push(place); // a fault, unless it is set aside: see (12)
      return false;
    }
    let sound = true;
    if (record.seq !== place) {
      // One that stands too late and does not join was pushed back by what was put before it.
      const pushedBack = record.seq < place && record.prev !== head;
      this.fault(pushedBack ? record.seq : place, "record {other} is stored as number {place}", { place, other: record.written });
      sound = false;
    }
    if (record.seq === place && record.prev !== head) {
      this.fault(Math.max(place - 1, 1), "record {seq} is not the record that record {next} was chained to", { next: place });
    }
    if ((record.kind === "ledger.created") !== (place === 1)) {
      this.open.push([place, "record {seq}: a ledger begins with ledger.created, once", {}]);
    }
    return sound;
  }

  /** Return what a blob says, or null if it is not there, not what it was, no JSON object, or too large to be read. */
  async body(digest) {
    const data = this.good.has(digest) ? await this.source.read(`blobs/${digest}`, MAX_BODY) : null;
    const found = data && jsonOrNull(data);
    return isObject(found) ? found : null;
  }

  // -- (4) to (9): heads, keys, time stamps, what the auditor brings, sign-offs

  async readErasures() {
    for (const { record, digest, reason, kept } of (await this.erasures()).filter((each) => this.counts(each.record))) {
      const protecting = kept.find((each) => each.seq < record.seq && this.protects(each.seq, each.kind));
      if (protecting) this.fault(record.seq, "the erasure in record {seq} counts for nothing: it names the details of record {record}, which are never erased", { record: protecting.seq });
      else this.erased.set(digest, reason);
    }
  }

  /** Say whether a record's details are never erased or withheld: it is of such a kind and counts. One that nobody claims does not: a stranger can record it. */
  protects(seq, kind) {
    if (!NEVER_ERASED.includes(kind) || this.aside.has(seq)) return false;
    // What holds nothing of these kinds is a fault until it is set aside.
    if (SELF_SIGNED.includes(kind) || ["key.added", "key.retired"].includes(kind)) return true;
    if (!this.writers.length || seq <= this.writers[0].added) return true;
    const claim = this.claimOf(seq, seq);
    return Boolean(claim) && (!BY_AUTHORITY.includes(kind) || this.writerOf(claim.key).authority === "all");
  }

  /** Return each erasure, with the records before and behind it that may protect the details that it names. */
  async erasures() {
    const [found, named] = [[], new Map()];
    const recordsOf = (digest) => named.get(digest) ?? named.set(digest, []).get(digest);
    for (const record of this.always) {
      if (record.kind === "blob.erased") {
        const { digest, reason, approved_by: approvedBy } = part(await this.body(record.body), "erased");
        if ([digest, reason, approvedBy].every(isText)) found.push({ record, digest, reason, kept: recordsOf(digest) });
      }
      if (NEVER_ERASED.includes(record.kind)) recordsOf(record.body).push(record);
    }
    return found;
  }

  async checkSigned() {
    const [created] = this.always;
    const ledger = created?.seq === 1 && created.kind === "ledger.created" ? (await this.body(created.body))?.ledger : null;
    this.ledger = isText(ledger) && /^[0-9a-f]{32}$/.test(ledger) ? ledger : null;
    if (this.ledger === null) this.fault(1, "record 1 does not name the ledger"); // then it is not compared
    if (this.bundle && this.ledger !== null && this.ledger !== this.bundle.ledger) {
      this.fault(0, "bundle.json names a different ledger than record 1");
    }
    const read = [];
    for (const record of this.always) if (record.kind === "head") read.push(await this.readHead(record));
    const quarantines = [];
    for (const record of this.always) if (BY_TWO.includes(record.kind)) quarantines.push(await this.readQuarantine(record));
    const around = [];
    for (const { record, quarantine } of quarantines) {
      this.suspects.add(record.seq);
      if (!quarantine || quarantine.last >= record.seq) continue;
      const { first, last, since } = quarantine;
      if (since !== undefined) around.push(first - 1, first, last);
      else for (let seq = first; seq <= last; seq += 1) this.suspects.add(seq);
    }
    const disowned = [];
    for (const { record, quarantine, signers, whyNot } of quarantines) {
      if (!quarantine || whyNot || quarantine.since !== undefined || !this.isOwn(quarantine)) continue;
      disowned.push({ seq: record.seq, signer: signers[0], first: quarantine.first, last: quarantine.last });
    }
    const isMend = ({ quarantine, whyNot }) => quarantine && !whyNot && quarantine.since !== undefined && this.isOwn(quarantine);
    // Else it is another record's text again.
    const isInPlace = ({ record, quarantine }) => quarantine.last === record.seq - 1 && quarantine.since <= record.at;
    const mends = quarantines.filter((each) => isMend(each) && isInPlace(each));
    const [keys, unheeded] = await this.readKeys(read, disowned, mends, new Set((this.trusted ?? []).map((each) => each.key)));
    this.keys = keys;
    // As the records alone have them, whatever the auditor brings.
    this.listed = this.trusted ? (await this.readKeys(read, disowned, mends, new Set()))[0] : keys;
    for (const [key, { seq }] of unheeded) {
      this.excusable(seq, "record {seq}: no key of the ledger confirms that key {key} was retired", { key: fingerprint(key) });
    }
    const wanted = read.flatMap(({ record, head }) => [record.seq + 1, ...(head ? [head.size] : [])]);
    const signed = [];
    for (const record of this.always) if (CLAIM_KINDS.includes(record.kind)) signed.push(await this.readSigned(record));
    for (const { claim } of signed) if (claim) wanted.push(...claim.ranges.map((each) => each.last));
    const lines = await this.linesAt(new Set([...wanted, ...around, ...this.suspects, ...this.supplied.map((each) => each.size)]));
    for (const record of this.always) {
      if (!["key.added", "key.retired"].includes(record.kind) || !this.good.has(record.body)) continue;
      if (!(await this.readKey(record))) this.excusable(record.seq, "record {seq} is of kind key but holds no key");
    }
    await this.checkHeads(read, lines);
    await this.findLosable();
    await this.readStandings();
    await this.checkClaims(signed, quarantines, lines);
    await this.checkOwners();
    await this.readErasures();
    this.checkDetails();
    await this.checkTimes();
    this.settle();
    await this.passOverMistimed();
    await this.checkHeadsFolder(read);
    this.checkReplaced();
    await this.checkAllowedSigners();
    await this.checkSumsSignature();
    await this.checkTimeStamps(lines);
    this.checkSupplied(lines);
    for (const record of this.always) if (record.kind === "sign-off" && this.good.has(record.body)) await this.checkSignOff(record);
    for (const record of this.imported) if (this.good.has(record.body)) await this.checkDrill(record);
  }

  /**
   * Return who may sign from when to when, and the retirements that count for nothing.
   * Only heads of confirmed keys decide. A retirement counts if its key signed for the one that replaces it, or if the first such head
   * over it is by another key and does not confirm this one. A key that signed a quarantine of a `key.added` confirms none by its heads behind that.
   */
  async readKeys(read, disowned, mends, trusted) {
    const keys = [];
    const known = await this.withReplaced(trusted);
    const signed = new Map(read.filter((each) => each.signer).map((each) => [each.record.seq, each]));
    const pending = new Map();
    const unheeded = [];
    for (const record of this.always) {
      if (signed.has(record.seq)) {
        const { head, signer } = signed.get(record.seq);
        if (!this.isOwn(head) || !isHeldAt(keys, signer, record.seq, head.at) || head.size >= record.seq) continue;
        for (const each of keys) {
          const { seq } = each.added;
          const isStrange = disowned.some((one) => one.signer === signer && one.seq < record.seq && one.first <= seq && seq <= one.last);
          if (each.replaces === signer && each.vouched === null && seq <= head.size && !isStrange) each.vouched = record.seq;
        }
        for (const [key, retired] of pending) {
          if (retired.seq > head.size) continue;
          pending.delete(key);
          const found = keys.find((each) => each.key === key);
          if (key === signer || found.vouched === record.seq) unheeded.push([key, retired]);
          else found.retired = retired;
        }
      } else if (["key.added", "key.retired"].includes(record.kind) && this.good.has(record.body)) {
        const event = await this.readKey(record);
        if (!event) continue;
        const { key, replaces } = event;
        const found = keys.find((each) => each.key === key);
        if (record.kind === "key.added" && !found) {
          const own = mends.filter(({ signers, quarantine: { first, last } }) => signers[0] === key && first <= record.seq && record.seq <= last);
          const begin = own.map((each) => each.record.at).reduce((least, at) => (at < least ? at : least), record.at);
          keys.push({ key, added: record, begin, retired: null, replaces, vouched: null, isKnown: !keys.length || known.has(key) });
        } else if (record.kind === "key.retired" && found && !found.retired) {
          if (keys.some((each) => each.replaces === key && each.vouched !== null)) found.retired = record;
          else if (!pending.has(key)) pending.set(key, record);
        }
      }
    }
    const left = keys.filter((each) => !each.retired && isConfirmed(each));
    for (const [key, retired] of pending) if (left.length === 1 && left[0].key === key) unheeded.push([key, retired]);
    return [keys, unheeded];
  }

  /** Return keys with those that they replace: whoever made a key that is known recorded it, and named the one before it. */
  async withReplaced(trusted) {
    const replaced = new Map();
    for (const record of trusted.size ? this.always : []) {
      if (record.kind !== "key.added" || !this.good.has(record.body)) continue;
      const event = await this.readKey(record);
      if (event && !replaced.has(event.key)) replaced.set(event.key, event.replaces);
    }
    const found = new Set(trusted);
    for (const key of found) if (replaced.get(key)) found.add(replaced.get(key));
    return found;
  }

  /** Return what a key record says; null if it holds no key. */
  async readKey(record) {
    const { public_key: key, replaces = "", reason = "" } = part(await this.body(record.body), "key");
    return isText(key) && isKey(key) && isText(replaces) && isText(reason) ? { key, replaces } : null;
  }

  isConfirmedKey(signer) {
    return this.keys.some((each) => each.key === signer && isConfirmed(each));
  }

  /** Read a claim or a writer record; where its details are not here, (3) names them. */
  async readSigned(record) {
    const isClaim = record.kind === "claim";
    const { text, signature } = part(await this.body(record.body), isClaim ? "claim" : "writer");
    const found = { record, claim: null, writer: null, signer: "", whyNot: null };
    if (!isText(text) || !isText(signature)) return found;
    if (isClaim) found.claim = parseClaim(text);
    else found.writer = parseWriter(text);
    try {
      found.signer = await signerOf(signature, isClaim ? "portalops-claim" : "portalops-writer", overBytes(toUtf8(text)));
    } catch (error) {
      found.whyNot = whyBad(error);
    }
    return found;
  }

  /** Read a quarantine or a mended clock; where its details are not here, (3) names them. */
  async readQuarantine(record) {
    const mends = record.kind === "ledger.clock-mended";
    const held = part(await this.body(record.body), mends ? "mended_clock" : "quarantine");
    const quarantine = isText(held.text) ? parseQuarantine(held.text, mends) : null;
    const found = { record, quarantine, signers: [], whyNot: null };
    if (!quarantine) return found;
    for (const signature of [held.signature, held.second_signature]) {
      let signer = "";
      try {
        if (!isText(signature)) throw new Bad("a signature is missing");
        signer = await signerOf(signature, mends ? "portalops-clock" : "portalops-quarantine", overBytes(toUtf8(held.text)));
      } catch (error) {
        found.whyNot ??= whyBad(error);
      }
      found.signers.push(signer);
    }
    return found;
  }

  /** (12) Which records two persons set aside, and (13) whose time they say is wrong. */
  async takeQuarantine(each, lines) {
    const { record, quarantine } = each;
    if (!this.good.has(record.body)) return;
    const why = await this.whyNoQuarantine(each, lines, this.losable);
    if (!why) {
      const proven = new Set([...this.losable].filter((seq) => !this.doubtful.has(seq)));
      if (quarantine.since === undefined && this.doubtful.size && (await this.whyNoQuarantine(each, lines, proven))) this.unproven.add(record.seq);
      const [counted, named] = quarantine.since === undefined ? [this.quarantines, this.aside] : [this.mended, this.mistimed];
      this.speaking.add(record.seq);
      counted.push({ record, ...quarantine });
      for (let seq = quarantine.first; seq <= quarantine.last; seq += 1) named.add(seq);
      return;
    }
    this.void.add(record.seq);
    const isClock = record.kind === "ledger.clock-mended";
    this.excusable(record.seq, isClock ? "the mended clock in record {seq} counts for nothing: {why}" : "the quarantine in record {seq} counts for nothing: {why}", { why });
  }

  /** (12) Find out which of the records that quarantines name may lack details, and of which this shows that they do; what is here belongs here. */
  async findLosable() {
    const bodies = [];
    let place = 0;
    await this.source.eachLine("ledger.jsonl", MAX_LINE, (line) => {
      place += 1;
      const record = this.suspects.has(place) ? parseRecord(line) : null;
      if (record && !PLANNING.includes(record.kind)) bodies.push([place, record.kind, latin(line.subarray(41, 105))]);
    });
    const first = this.bundle?.blobs.first ?? Infinity;
    for (const [seq, kind, digest] of bodies) {
      const body = await this.body(digest);
      const needed = [digest, ...(body ? evidenceIn(body) : [])];
      const absent = needed.filter((each) => !this.good.has(each));
      for (const each of needed) if (this.good.has(each)) this.ofSuspects.add(each);
      this.losable.add(seq);
      const isDue = ALWAYS.has(kind) || seq >= first;
      // Details can come back later: the word of the two persons stands, but whether they were missing then is unknown.
      if (!absent.length || !isDue || absent.some((each) => this.withheld.has(each))) this.doubtful.add(seq);
    }
  }

  /** Find out which of the records that quarantines name count for nothing by themselves, and which a confirmed key stands for. */
  async readStandings() {
    this.sound = new Set([...this.authentic, ...this.keys.filter(isConfirmed).map((each) => each.added.seq)]);
    this.void = new Set();
    for (const record of [...this.always, ...this.imported]) {
      const { kind, seq } = record;
      if (!this.suspects.has(seq) || this.sound.has(seq) || !this.good.has(record.body)) continue;
      const isVoid =
        ["head", "key.added", "key.retired"].includes(kind) ||
        (kind === "sign-off" && (await this.readSignOff(record)).cause) ||
        (kind === "drill.imported" && (await this.readDrill(record)).cause);
      if (isVoid) this.void.add(seq);
    }
  }

  /** (12) Name what waited for the quarantines, but for what is wrong with records that are set aside. */
  settle() {
    for (const seq of this.malformed) {
      if (!this.aside.has(seq)) this.fault(seq, "record {seq} does not have the format that portalops writes");
    }
    for (const [seq, en, values, at] of this.open) if (!this.aside.has(seq)) this.fault(at ?? seq, en, values);
    for (const [seq, at] of this.back) {
      if (this.aside.has(seq) || this.quarantines.some((each) => each.record.seq === seq)) continue;
      if (this.mended.some(({ first, last }) => first <= seq && seq <= last)) continue;
      this.fault(seq, "record {seq} has the time {at}, earlier than the record before it", { at });
    }
  }

  /** (13) Find what is before its time, once it is known what counts. */
  async checkTimes() {
    const counted = new Set(this.mended.map((each) => each.record.seq));
    if (this.isEarly) await this.eachTime((place, at, before) => at < before && this.back.push([place, at]));
    const isVoid = ({ kind, seq }) => kind === "ledger.clock-mended" && !counted.has(seq);
    const voided = this.always.find(isVoid);
    if (voided) for (const [seq] of this.back) if (seq > voided.seq) this.mistimed.add(seq);
  }

  /**
   * Call back with number and time of each record, and the time in force before it and behind it.
   * A mended clock that counts begins time anew. What is set aside sets no time, nor does a quarantine or any other mended clock.
   */
  async eachTime(take) {
    const counted = new Set(this.mended.map((each) => each.record.seq));
    let [place, latest] = [0, ""];
    await this.source.eachLine("ledger.jsonl", MAX_LINE, (line) => {
      place += 1;
      const record = parseRecord(line);
      if (!record) return;
      const before = counted.has(place) ? "" : latest;
      const setsTime = record.seq === place && !this.aside.has(place) && !BY_TWO.includes(record.kind);
      if (counted.has(place) || (setsTime && record.at >= latest)) latest = record.at;
      take(place, record.at, before, latest);
    });
  }

  /** Return the time in force at a line; nothing if there is no such line. */
  async timeBefore(seq) {
    let found = "";
    await this.eachTime((place, _at, _before, latest) => {
      if (place <= seq) found = latest;
    });
    return found;
  }

  /** (13) Count runs and figures anew, without what records of a wrong time say of it. */
  async passOverMistimed() {
    if (!this.mistimed.size) return;
    this.runs = new Runs();
    this.figures = new Figures(this.bundle, this.figures.held);
    let place = 0;
    await this.source.eachLine("ledger.jsonl", MAX_LINE, (line) => {
      place += 1;
      const record = parseRecord(line);
      if (!record) return;
      record.seq = place;
      record.body = latin(line.subarray(41, 105));
      this.runs.take(record, !this.mistimed.has(place));
      this.figures.take(record, !this.mistimed.has(place));
    });
  }

  async whyNoQuarantine({ record, quarantine, signers, whyNot }, lines, losable) {
    if (!quarantine) return say("it names no records");
    if (whyNot) return whyNot;
    if (this.ledger !== null && this.ledger !== quarantine.ledger) return say("it belongs to another ledger");
    const [own, second] = signers;
    const flaw = this.flawOfKey(own, record);
    if (flaw) return flaw;
    if (second !== quarantine.key) return say("it is signed by a different key than it names");
    // Who becomes one later undoes nothing.
    const isOurs = ({ key, isKnown, added, vouched }) => key === second && ((isKnown && added.seq < record.seq) || (vouched !== null && vouched < record.seq));
    if (this.keys.some(isOurs) || this.writers.some((each) => each.key === second && each.added < record.seq)) return say("the second key is the ledger's own, or a machine's");
    const { first, last } = quarantine;
    if (last >= record.seq) return say("it names records that did not exist");
    if ((lines.get(last)?.digest ?? "") !== quarantine.digest) return say("record {last} is another one than it names", { last });
    if (quarantine.since !== undefined) return this.whyNotMended(record, quarantine, lines);
    for (let seq = first; seq <= last; seq += 1) {
      if (!lines.get(seq)?.at || this.anybodys.has(seq)) continue;
      const isStranger = this.writers.length && seq > this.writers[0].added && this.isNobodys(seq, record.seq);
      const isEnded = (key) => (this.writerOf(key)?.ended ?? Infinity) < record.seq;
      const isLost = this.writers.length && seq > this.writers[0].added && losable.has(seq) && isEnded(this.claimOf(seq, seq)?.key);
      const may = this.contradicting.has(seq) ? isEnded(this.contradicting.get(seq)) : this.void.has(seq) || isStranger || isLost;
      if (!may || this.sound.has(seq)) return say("record {record} is whole, and no stranger's", { record: seq });
    }
    return null;
  }

  async whyNotMended(record, { first, last, since }, lines) {
    if (last !== record.seq - 1) return say("it does not end with the record before it");
    let right = first - 1;
    for (const earlier of [...this.mended].reverse()) {
      if (first <= earlier.last) return say("record {record} names the same records", { record: earlier.record.seq });
      if (earlier.first <= right && right <= earlier.last) right = earlier.first - 1;
    }
    const rightAt = await this.timeBefore(right);
    if (!rightAt || rightAt > since || since > record.at) return say("{since} does not lie between record {record} and it", { since, record: right });
    if ((lines.get(first)?.at ?? "") <= since) return say("record {record} is not ahead of {since}", { record: first, since });
    return null;
  }

  /** (11) Whose the records are: writers, claims and what two persons said, in their order. */
  async checkClaims(signed, quarantines, lines) {
    const isAnybodys = ({ kind, seq }) => ANYBODYS.includes(kind) || (kind === "ledger.created" && seq > 1);
    const voidErasures = (await this.erasures()).filter(({ record, kept }) => kept[0]?.seq < record.seq);
    this.anybodys = new Set([...this.always.filter(isAnybodys), ...voidErasures.map((each) => each.record)].map((each) => each.seq));
    const waiting = [...quarantines];
    let upTo = 0;
    for (const each of signed) {
      const { seq } = each.record;
      while (waiting.length && waiting[0].record.seq < seq) await this.takeQuarantine(waiting.shift(), lines);
      if (!this.good.has(each.record.body)) continue;
      if (each.record.kind !== "claim") {
        const why = this.takeWriter(each);
        if (why) this.void.add(seq);
        if (why) this.excusable(seq, "the writer in record {seq} counts for nothing: {why}", { why });
        continue;
      }
      const why = this.whyNoClaim(each);
      const ranges = each.claim?.ranges ?? [];
      const differing = why ? undefined : ranges.find(({ last, digest }) => (lines.get(last)?.digest ?? "") !== digest);
      if (why) {
        this.void.add(seq);
        this.excusable(seq, "the claim in record {seq} counts for nothing: {why}", { why });
      } else if (differing && !this.isOfItsOwn(differing.last, each.signer)) {
        const why = say("record {last} is another one than it names", { last: differing.last });
        this.contradicting.set(seq, each.signer);
        this.excusable(seq, "the claim in record {seq} counts for nothing: {why}", { why });
      } else if (differing) {
        // What an enrolled writer says of the lines of its own records is evidence.
        const { last } = differing;
        this.contradicting.set(seq, each.signer);
        this.excusable(
          seq,
          "record {last} is not the record that the claim in record {claim} signed: records from {seq} on were rewritten",
          { last, claim: seq },
          Math.min(upTo + 1, last),
        );
      } else {
        upTo = Math.max(upTo, ranges.at(-1).last);
        const free = ranges.flatMap(({ first, last }) => this.freeOf(first, last));
        const left = free.flatMap(({ first, last }) => this.notAside(first, last));
        const isWhole = left.length === ranges.length && left.every(({ first, last }, number) => first === ranges[number].first && last === ranges[number].last);
        for (const { first, last } of left) this.claimed.splice(this.placeOf(first), 0, { first, last, key: each.signer, by: seq });
        if (left.length) this.speaking.add(seq);
        if (!isWhole) this.void.add(seq);
        if (!left.length) this.excusable(seq, "the claim in record {seq} counts for nothing: {why}", { why: say("its records were claimed or set aside before") });
        else if (!isWhole) this.excusable(seq, "of the records that the claim in record {seq} names, some were claimed or set aside before");
      }
    }
    for (const each of waiting) await this.takeQuarantine(each, lines);
  }

  /** (11) What a writer may not record, and what nobody claimed in time. */
  async checkOwners() {
    if (!this.writers.length) return;
    for (const { seq, kind } of this.always.filter((each) => BY_AUTHORITY.includes(each.kind) && !this.aside.has(each.seq))) {
      if (seq <= this.writers[0].added) continue;
      const found = this.claimOf(seq, seq);
      const writer = found && this.writerOf(found.key);
      if (!writer && kind === "blob.erased") this.unheeded.push([seq, seq]); // what is gone is gone: it has no hour
      if (!writer || writer.authority === "all") continue;
      this.unheeded.push([seq, seq]);
      this.fault(seq, "record {seq}: {name} may not record {kind}", { name: writer.name, kind });
    }
    await this.checkUnclaimed();
  }

  /** Say whether a writer may speak of a record: no other one claims it, and none but the first was there before its enrolment. */
  isOfItsOwn(seq, signer) {
    const writer = this.writerOf(signer);
    return (this.claimOf(seq, seq)?.key ?? signer) === signer && (writer === this.writers[0] || seq > writer.added);
  }

  /** Say whether no claim before another record stands for a record: none holds it, or one of a writer that may not record it. */
  isNobodys(seq, limit) {
    const found = this.claimOf(seq, seq);
    if (!(found?.by < limit)) return true;
    return this.writerOf(found.key).authority !== "all" && this.always.some((each) => each.seq === seq && BY_AUTHORITY.includes(each.kind));
  }

  writerOf(key) {
    return this.writers.find((each) => each.key === key);
  }

  /** Return how many claimed ranges begin at a record or before it. */
  placeOf(seq) {
    let [low, high] = [0, this.claimed.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.claimed[middle].first <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Return a claimed range that holds any record from one to another. */
  claimOf(last, first) {
    const found = this.claimed[this.placeOf(last) - 1];
    return found && found.last >= first ? found : undefined;
  }

  /** Return the parts of a range that no earlier claim has. */
  freeOf(first, last) {
    const found = [];
    for (let place = Math.max(this.placeOf(first) - 1, 0); place < this.claimed.length && this.claimed[place].first <= last; place += 1) {
      const taken = this.claimed[place];
      if (first < taken.first) found.push({ first, last: taken.first - 1 });
      first = Math.max(first, taken.last + 1);
    }
    return first <= last ? [...found, { first, last }] : found;
  }

  /** Return the parts of a range that two persons have not set aside before. */
  notAside(first, last) {
    const found = [];
    const inside = [...this.aside].filter((seq) => first <= seq && seq <= last).sort((one, other) => one - other);
    for (const seq of inside) {
      if (first < seq) found.push({ first, last: seq - 1 });
      first = seq + 1;
    }
    return first <= last ? [...found, { first, last }] : found;
  }

  /** Take a writer record; return why it counts for nothing. */
  takeWriter({ record, writer, signer, whyNot }) {
    if (!writer || record.kind !== `writer.${writer.state}`) return say("it names no writer");
    if (whyNot) return whyNot;
    if (this.ledger !== null && this.ledger !== writer.ledger) return say("it belongs to another ledger");
    const flaw = this.flawOfKey(signer, record);
    if (flaw) return flaw;
    const { state, key, name, authority } = writer;
    if (state === "added" && this.writers.some((each) => each.name === name && each.ended === null && each.key !== key)) {
      return say("another writer is called {name}", { name });
    }
    const known = this.writerOf(key);
    const isChange = state === "added" ? !known : known?.ended === null;
    if (isChange) this.speaking.add(record.seq);
    else this.void.add(record.seq); // no fault: it may be another record's text again
    if (isChange && known) known.ended = record.seq;
    else if (isChange) this.writers.push({ key, name, authority, added: record.seq, ended: null });
    return null;
  }

  /** Return why a key may not name writers, or set aside, in a record: whoever may append can add keys too. */
  flawOfKey(signer, { seq, at }) {
    const found = this.keys.find((each) => each.key === signer && signs(each, seq, at));
    if (!found) return say("it is not signed by a key of the ledger");
    if (found.isKnown || (found.vouched !== null && found.vouched < seq)) return null;
    return say("it is signed by key {key}, which nobody confirmed", { key: fingerprint(signer) });
  }

  whyNoClaim({ record, claim, signer, whyNot }) {
    if (!claim) return say("it names no records");
    if (whyNot) return whyNot;
    if (this.ledger !== null && this.ledger !== claim.ledger) return say("it belongs to another ledger");
    const writer = this.writerOf(signer);
    if (!writer || writer.added >= record.seq || (writer.ended !== null && writer.ended < record.seq)) {
      return say("key {key} is not enrolled", { key: fingerprint(signer) });
    }
    if (claim.ranges.at(-1).last >= record.seq) return say("it names records that did not exist");
    return null;
  }

  /** Return first and last of the records that nobody claims, without those at their ends that are signed themselves. */
  gaps() {
    const own = this.selfSigned();
    const found = [];
    let after = this.writers[0].added;
    for (const { first, last } of [...this.claimed, { first: this.records + 1, last: this.records + 1 }]) {
      let [low, high] = [after + 1, Math.min(first - 1, this.records)];
      while (low <= high && own.has(low)) low += 1;
      while (low <= high && own.has(high)) high -= 1;
      if (low <= high) found.push([low, high]);
      after = Math.max(after, last);
    }
    return found;
  }

  selfSigned() {
    return new Set(this.always.filter((each) => SELF_SIGNED.includes(each.kind)).map((each) => each.seq));
  }

  async checkUnclaimed() {
    const gaps = this.gaps();
    if (!gaps.length || !this.lastAt) return;
    const limit = atText(momentOf(this.lastAt) - GRACE);
    const rows = [];
    let place = 0;
    await this.source.eachLine("ledger.jsonl", MAX_LINE, (line) => {
      place += 1;
      while (gaps.length && gaps[0][1] < place) gaps.shift();
      const record = gaps.length && gaps[0][0] <= place ? parseRecord(line) : null;
      if (!record || SELF_SIGNED.includes(record.kind) || record.at >= limit || this.aside.has(place)) return;
      const row = rows.at(-1);
      if (row && row[1] === place - 1) row[1] = place;
      else rows.push([place, place]);
    });
    this.unclaimed = rows;
    this.unheeded.push(...rows);
  }

  /** Say whether a plan or an erasure counts, since (11) does not name it and (12) does not set it aside. */
  counts({ seq }) {
    return !this.aside.has(seq) && !this.unheeded.some(([first, last]) => first <= seq && seq <= last);
  }

  /** Return the claimed records as few ranges: what lies between two of one writer is signed by itself. */
  owners() {
    const own = this.speaking;
    const found = [];
    for (const { first, last, key } of this.claimed) {
      const before = found.at(-1);
      let between = before ? before.last + 1 : first;
      while (between < first && own.has(between)) between += 1;
      if (before && before.key === key && between === first) before.last = last;
      else found.push({ first, last, key });
    }
    return found.map(({ first, last, key }) => ({ first, last, writer: this.writerOf(key) }));
  }

  /** Say whether a head is of this ledger; where its id cannot be read, every head is. */
  isOwn(head) {
    return this.ledger === null || this.ledger === head.ledger;
  }

  isHeldAt(signer, seq, at) {
    return isHeldAt(this.keys, signer, seq, at);
  }

  /** Return the head of a head record, its text, its signature and who signed it; null without one, named if its body is there. */
  async readHead(record) {
    const { text, signature } = part(await this.body(record.body), "head");
    const head = isText(text) ? parseHead(text) : null;
    if (head && isText(signature)) {
      const found = { record, head, text, signature, signer: "", whyNot: null };
      try {
        found.signer = await signerOf(signature, "portalops-head", overBytes(toUtf8(text)));
      } catch (error) {
        found.whyNot = whyBad(error);
      }
      return found;
    }
    if (this.good.has(record.body)) this.open.push([record.seq, "record {seq} is of kind head but holds no head", {}]);
    return { record, head: null, signer: "" };
  }

  /** Return the digests and times of lines by their places. */
  async linesAt(wanted) {
    const found = new Map();
    let place = 0;
    await this.source.eachLine("ledger.jsonl", MAX_LINE, (line) => {
      place += 1;
      this.advance(line.length + 1);
      if (wanted.has(place)) found.set(place, { digest: sha256(line), at: parseRecord(line)?.at ?? "" });
    });
    return found;
  }

  /** (3) The bodies that must be there, and the evidence that they name. */
  checkDetails() {
    const [named, blamed, searched] = [new Set(this.ofSuspects), new Set(), new Set()];
    // Name a blob that is not as it was, once: with the first record that it comes up for.
    const checkBlob = (place, digest, kind) => {
      const isNew = !named.has(digest);
      named.add(digest);
      if (this.good.has(digest) || blamed.has(digest)) return;
      const isThere = this.source.entries.has(`blobs/${digest}`);
      const [isWithheld, isErased] = [this.withheld.has(digest), this.erased.has(digest)];
      const isExcused = (isWithheld && !KEPT.includes(kind)) || (isErased && !kind);
      let what;
      if (isWithheld && !isExcused) what = "record {seq}: its details may not be withheld: {digest}";
      else if ((isExcused && !isThere) || (!isNew && !isErased)) return;
      else if (isThere) what = "record {seq}: blob {digest} does not match its digest";
      else what = "record {seq}: blob {digest} is missing";
      blamed.add(digest);
      if (what.endsWith("withheld: {digest}")) this.fault(place, what, { digest });
      else this.excusable(place, what, { digest });
    };
    this.scope.places.forEach((place, number) => {
      const digest = this.scope.digests[number];
      const kind = this.scope.kinds[number];
      checkBlob(place, digest, this.protects(place, kind) ? kind : "");
      if (searched.has(digest) || this.isExcused(digest)) return;
      searched.add(digest);
      for (const each of this.evidence.get(digest) ?? []) checkBlob(place, each, "");
    });
    for (const path of this.paths) {
      if (path.startsWith("blobs/") && !named.has(path.slice(6))) this.fault(0, "{path} does not belong to this bundle", { path });
    }
    for (const path of this.listedOnly) {
      if (!path.startsWith("blobs/") || !named.has(path.slice(6))) this.fault(0, "{path} is missing", { path });
    }
  }

  async checkHeads(read, lines) {
    let [upTo, before, sizeBefore, known] = [0, GENESIS, 0, true];
    const first = new Map();
    const byTwo = new Set(this.always.filter(({ kind }) => BY_TWO.includes(kind)).map(({ seq }) => seq));
    for (const { record, head, text, signer, whyNot } of read) {
      const said = `${signer} ${text}`;
      if (signer && first.has(said)) {
        this.copies.set(record.seq, first.get(said));
        this.excusable(record.seq, "the head in record {seq} is a copy of the one in record {first}", { first: first.get(said) });
        continue;
      }
      first.set(said, record.seq);
      if (!head) {
        [known, sizeBefore] = [false, 0]; // what the next one should follow is not known either
        continue;
      }
      if (whyNot) {
        // Nobody signed it, so what it says besides is nobody's word.
        this.excusable(record.seq, "the head in record {seq}: {why}", { why: say("its signature is not valid: {why}", { why: whyNot }) });
        continue;
      }
      const wrong = [];
      const isHeld = signer !== "" && this.isHeldAt(signer, record.seq, head.at);
      const isStrange = signer !== "" && this.keys.some((each) => each.key === signer) && !this.isConfirmedKey(signer);
      if (isStrange) wrong.push(say("it is signed by key {key}, which nobody confirmed", { key: fingerprint(signer) }));
      else if (signer && !isHeld) wrong.push(say("it is signed by a key that was not valid in the ledger at that time"));
      if (!this.isOwn(head)) wrong.push(say("it belongs to another ledger"));
      const isAuthentic = isHeld && this.isOwn(head);
      let fits = signer !== "";
      if (isAuthentic && lines.get(head.size)?.digest !== head.digest) {
        // The ledger's key made it, so what it says of the records is evidence.
        this.fault(
          upTo + 1,
          "record {size} is not the record that the head in record {head} signed: records from {seq} on were rewritten",
          { size: head.written, head: record.seq },
        );
        fits = false;
      }
      if (known && head.previous !== before) wrong.push(say("it does not follow the previous head"));
      if (head.size <= sizeBefore || head.size >= record.seq) {
        wrong.push(say("its size does not lie between the previous head's and its own record number"));
      }
      const since = byTwo.has(head.size) ? "" : (lines.get(head.size)?.at ?? ""); // the time of these may be any
      if (head.size < record.seq && !(since <= head.at && head.at <= record.at)) {
        wrong.push(say("its time does not lie between the times of the records around it"));
      }
      for (const why of wrong) this.excusable(record.seq, "the head in record {seq}: {why}", { why });
      if (fits && !wrong.length) {
        upTo = head.size;
        this.heads.push({ record, head, signer });
        this.speaking.add(record.seq);
      }
      if (isAuthentic) this.authentic.add(record.seq);
      // What somebody else recorded as a head is none that the next one follows.
      if (isAuthentic) [before, sizeBefore, known] = [sha256(toUtf8(text)), head.size, true];
    }
    // What somebody else recorded as a head is none; one whose details are not here is named elsewhere.
    const last = read.filter(({ record }) => this.authentic.has(record.seq) || !this.good.has(record.body)).at(-1);
    this.newestSigner = last?.signer ? { signer: last.signer, at: last.head.at } : { signer: "", at: "" };
    if (!last) this.fault(1, "the bundle is not signed: it has no head");
    else if (last.head) {
      // (5) only head records stand behind what the newest head is over
      const heads = new Set(read.map(({ record }) => record.seq));
      for (let seq = last.head.size + 1; seq <= this.records; seq += 1) {
        if (heads.has(seq)) continue;
        this.fault(seq, "record {seq} and all later records are not covered by a head");
        break;
      }
    }
  }

  async checkHeadsFolder(read) {
    const ours = new Set();
    for (const each of read.filter(({ record, head }) => head && !this.copies.has(record.seq))) {
      const { record, head, signer } = each;
      const isOurs = signer !== "" && this.isOwn(head) && isHeldAt(this.listed, signer, record.seq, head.at);
      if (isOurs || !ours.has(head.name)) this.published.set(head.name, each); // a stranger's of the same size is in no file
      if (isOurs) ours.add(head.name);
    }
    const expected = new Map();
    for (const [name, { record, text, signature }] of this.published) {
      expected.set(`heads/${name}.txt`, { of: record.seq, data: toUtf8(text) });
      expected.set(`heads/${name}.sig`, { of: record.seq, data: toUtf8(signature) });
    }
    for (const path of this.paths) {
      if (/^heads\/.*\.(?:txt|sig)$/.test(path) && !expected.has(path)) {
        this.fault(0, "{path} belongs to no head in the records", { path });
      }
    }
    for (const [path, { of, data }] of expected) {
      const held = await this.source.read(path);
      if (!held || !sameBytes(held, data)) this.fault(0, "{path} is not the head in record {of}", { path, of });
    }
  }

  /** A key that names the one before it needs that one's word: a head by it over the record that adds the key. */
  checkReplaced() {
    for (const { key, added, replaces, vouched } of this.keys) {
      const own = this.heads.find((each) => each.signer === key)?.record.seq;
      const isVouched = this.heads.some(
        ({ record, head, signer }) => signer === replaces && head.size >= added.seq && (own === undefined || record.seq < own),
      );
      if (replaces && own !== undefined && (!isVouched || vouched === null)) {
        this.fault(added.seq, "record {seq}: the key names a previous key that did not sign for it");
      }
    }
  }

  /** Say whether no earlier key speaks for a key that is not the first. */
  speaksForItself({ added, replaces }, place) {
    return place > 0 && !this.heads.some(({ head, signer }) => signer === replaces && head.size >= added.seq);
  }

  async checkAllowedSigners() {
    let text = "";
    for (const { key, begin, retired } of this.listed) {
      const until = retired ? `,valid-before="${stamp(listedTo(begin, retired.at))}"` : "";
      const options = `namespaces="portalops-head,portalops-bundle,portalops-set",valid-after="${stamp(listedFrom(begin))}"${until}`;
      text += `${this.ledger ?? ""} ${options} ${key}\n`;
    }
    const seen = new Set();
    for (const record of this.always) {
      const held = record.kind === "sign-off" ? signOffIn(await this.body(record.body)) : null;
      if (!held || seen.has(held.public_key)) continue;
      seen.add(held.public_key);
      if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/.test(held.signer)) {
        text += `${held.signer} namespaces="portalops-signoff" ${held.public_key}\n`;
      }
    }
    const held = await this.source.read("allowed_signers", MAX_BODY);
    if (!held || !sameBytes(held, toUtf8(text))) this.fault(0, "allowed_signers contradicts the records");
  }

  async checkSumsSignature() {
    // the rest of (1)
    const data = await this.source.read("SHA256SUMS.sig", MAX_LINE);
    try {
      if (!data || data.some((byte) => byte > 127)) throw new Bad("it is missing");
      const text = latin(data);
      if (this.source.size("SHA256SUMS") > MAX_LIST) throw new Error("SHA256SUMS is too long for this page: use verify.py");
      const signer = await signerOf(text, "portalops-bundle", async (algorithm) =>
        digestOf(algorithm, (await this.source.read("SHA256SUMS", MAX_LIST)) ?? NO_BYTES),
      );
      if (!text.startsWith(BEGIN) || !text.endsWith(`${END}\n`) || text.includes("\r")) throw new Bad("not in the format of ssh-keygen");
      if (!this.isHeldAt(signer, this.records, this.lastAt)) throw new Bad("signed by a key that was not valid in the ledger");
    } catch (error) {
      this.fault(0, "the signature of SHA256SUMS is not valid: {cause}", { cause: whyBad(error) });
    }
  }

  async checkTimeStamps(lines) {
    for (const path of this.paths.filter((each) => each.endsWith(".tsr"))) {
      const found = this.published.get(path.slice(6).split(".")[0]);
      if (!found) {
        this.fault(0, "{path} is for no head in the records", { path });
        continue;
      }
      let token;
      try {
        token = timeStamp((await this.source.read(path)) ?? NO_BYTES);
      } catch (error) {
        this.fault(0, "{path} is not a valid time stamp: {cause}", { path, cause: whyBad(error) });
        continue;
      }
      const { record, head, text } = found;
      this.anchored.push({ path, size: head.written, at: atText(token.moment) });
      if (token.imprint !== sha256(toUtf8(text))) this.fault(0, "{path} is a time stamp of something else", { path });
      if (atText(token.moment + CLOCKS_APART) < head.at && !this.mistimed.has(record.seq)) this.fault(0, "{path} is older than its head", { path });
      const isExcused = this.aside.has(record.seq + 1) || [...this.quarantines, ...this.mended].some((each) => each.record.seq === record.seq + 1);
      const behind = isExcused ? "" : lines.get(record.seq + 1)?.at;
      if (behind && momentOf(behind) < token.moment - CLOCKS_APART) {
        this.fault(record.seq + 1, "record {seq} claims a time before {path}, which is older than the record", { path });
      }
    }
  }

  checkSupplied(lines) {
    const fits = (each) => (lines.get(each.size)?.digest ?? "").startsWith(each.digest);
    const isForeign = (each) => each.ledger !== "" && this.ledger !== null && each.ledger !== this.ledger;
    const holding = new Set(this.supplied.filter(fits)); // as long as none of them is found to be foreign
    for (const each of this.supplied) {
      const { name } = each;
      if (isForeign(each)) {
        holding.delete(each);
        this.fault(1, "the head {name} belongs to another ledger, {ledger}", { name, ledger: each.ledger });
      } else if (each.size > this.records) {
        holding.delete(each);
        this.fault(this.records + 1, "the head {name} covers {size} records, but the ledger has fewer: its end was cut off", { name, size: each.written });
      } else if (!holding.has(each)) {
        const largest = Math.max(0, ...[...holding].map((other) => other.size).filter((size) => size < each.size));
        this.fault(largest + 1, "record {size} is not the record that the head {name} signed: records from {seq} on were rewritten later", {
          size: each.written,
          name,
        });
      }
      this.compared.push({ name, holds: holding.has(each) });
    }
    const { covered, followers } = this.handOn();
    const { signer, at } = this.newestSigner;
    if (this.trusted && !followers.has(signer) && !this.isTrusted(signer, at)) {
      this.fault(covered + 1, "records from {seq} on are not covered by a head of the keys that you gave");
    }
  }

  /** Return up to which record the supplied keys speak, and the keys that they handed on to; one with an end hands on to none. */
  handOn() {
    const lasting = new Set((this.trusted ?? []).filter((each) => !each.until).map((each) => each.key));
    const followers = new Set();
    let covered = 0;
    for (const { head, signer } of this.heads) {
      if (!followers.has(signer) && !this.isTrusted(signer, head.at)) continue;
      covered = head.size;
      if (!followers.has(signer) && !lasting.has(signer)) continue;
      for (const each of this.keys) if (each.replaces === signer && each.added.seq <= head.size) followers.add(each.key);
    }
    return { covered, followers };
  }

  isTrusted(signer, at) {
    const moment = stamp(at);
    return (this.trusted ?? []).some((each) => each.key === signer && each.from <= moment && (!each.until || moment <= each.until));
  }

  async checkSignOff(record) {
    const { held, cause } = await this.readSignOff(record);
    if (!cause) this.signOffs.push(held);
    else if (!this.aside.has(record.seq)) this.fault(record.seq, "the sign-off in record {seq} is not valid: {cause}", { cause });
  }

  async readSignOff(record) {
    const held = signOffIn(await this.body(record.body));
    try {
      if (!held) throw new Bad("it is none");
      if (!DIGEST.test(held.sha256) || held.text !== `${held.sha256}  ${held.report}\n`) {
        throw new Bad("what was signed is not the line of sha256sum for its report");
      }
      const signer = await signerOf(held.signature, "portalops-signoff", overBytes(toUtf8(held.text)));
      if (signer !== held.public_key) throw new Bad("it is signed by a different key than it names");
      return { held, cause: null };
    } catch (error) {
      return { held, cause: whyBad(error) };
    }
  }

  async checkDrill(record) {
    const { signer, cause } = await this.readDrill(record);
    if (!cause) this.drills.push({ seq: record.seq, signer });
    else if (!this.aside.has(record.seq)) this.fault(record.seq, "the drill report in record {seq} is not valid: {cause}", { cause });
  }

  async readDrill(record) {
    const { text, signature } = part(await this.body(record.body), "drill_report");
    try {
      if (!isText(text) || !isText(signature)) throw new Bad("it is none");
      const signer = await signerOf(signature, "portalops-drill", overBytes(toUtf8(text)));
      if (this.isConfirmedKey(signer)) throw new Bad("it is signed by a key of this ledger, so it is not from another host");
      return { signer, cause: null };
    } catch (error) {
      return { signer: "", cause: whyBad(error) };
    }
  }
}

/** Return why a signature or a time stamp does not hold; any other error is this program's own. */
function whyBad(error) {
  if (!(error instanceof Bad)) throw error;
  return error.said;
}

function jsonOrNull(data) {
  try {
    return readJson(data);
  } catch (error) {
    if (error instanceof NotJson) return null;
    throw error;
  }
}

const signOffIn = (body) => {
  const held = part(body, "sign_off");
  return SIGN_OFF.every((name) => isText(held[name])) ? held : null;
};

/** Say whether bundle.json has the names that it must have, each with a value of the right form. */
function isBundle(held) {
  const [period, portal, blobs] = ["period", "portal", "blobs"].map((name) => part(held, name));
  const names = ["blobs", "format", "head", "ledger", "period", "portal", "portalops", "records", "timezone", "withheld"];
  if (!hasNames(held, names) || !hasNames(period, ["first", "last"]) || !hasNames(portal, ["en", "id", "vi"])) return false;
  if (!hasNames(blobs, ["first", "last"]) || !Array.isArray(held.withheld)) return false;
  const texts = [held.ledger, held.head, held.timezone, held.portalops, ...Object.values(portal), ...Object.values(period)];
  const numbers = [held.format, held.records, blobs.first, blobs.last];
  const digests = held.withheld.map((each) => (isObject(each) && hasNames(each, ["digest", "reason"]) && isText(each.reason) ? each.digest : null));
  return (
    texts.every(isText) && numbers.every(isInteger) && [1, 2, 3, 4].includes(held.format) && /^[0-9a-f]{32}$/.test(held.ledger) && DIGEST.test(held.head) &&
    Object.values(period).every((day) => dayOf(day) !== null) && period.first <= period.last &&
    blobs.first >= 1 && blobs.first <= blobs.last && blobs.last === held.records && held.records < 10n ** 18n &&
    digests.every((each, place) => isText(each) && DIGEST.test(each) && (!place || digests[place - 1] < each))
  );
}

// -- what the auditor brings

const UNICODE_SPACE = "[\\s\\x1c-\\x1f\\x85]";
const stripped = (text) => text.replace(new RegExp(`^${UNICODE_SPACE}+|${UNICODE_SPACE}+$`, "g"), "");
const SIGNER = new RegExp(
  '^(?:"[^"]*"|[^ \\t\\n\\r\\f\\v]+)[ \\t]+(?:([a-z-]+(?:="[^"]*")?(?:,[a-z-]+(?:="[^"]*")?)*)[ \\t]+)?' +
    "((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)[ \\t]+([A-Za-z0-9+/=]+)(?:[ \\t][^\\n]*)?$",
  "i",
);

/** Read an allowed_signers file (ssh-keygen(1)); the keys in it that sign heads. */
function readTrusted(name, data) {
  const wrong = new NotABundle(say("{path} is not an allowed_signers file with a key", { path: name }));
  const found = [];
  let keys = 0;
  let lines;
  try {
    lines = fromUtf8(data).split("\n").map(stripped);
  } catch {
    throw wrong;
  }
  for (const line of lines.filter((each) => each !== "" && !each.startsWith("#"))) {
    const match = SIGNER.exec(line);
    if (!match) throw wrong;
    const [, options = "", kind, encoded] = match;
    if ((kind !== PLAIN_KEY && kind !== TOKEN_KEY) || options.toLowerCase().split(",").includes("cert-authority")) continue;
    const given = [...options.matchAll(/([A-Za-z-]+)="([^"]*)"/g)].map(([, option, value]) => [option.toLowerCase(), value]);
    const values = new Map(given);
    const [from, until] = ["valid-after", "valid-before"].map((option) => stampOf(values.get(option)));
    const key = `${kind} ${encoded}`;
    if (from === null || until === null || values.size !== given.length || !isKey(key)) throw wrong;
    keys += 1;
    if ((values.get("namespaces") ?? "portalops-head").split(",").includes("portalops-head")) found.push({ key, from, until });
  }
  if (!keys) throw wrong;
  return found;
}

/** Return a time of an allowed_signers file to the second; "" without one, null if it is none in UTC. */
function stampOf(text) {
  if (text === undefined) return "";
  const found = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d))?(\d\d)?Z$/.exec(text);
  if (!found) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00"] = found;
  return Number.isNaN(momentOf(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`)) ? null : [year, month, day, hour, minute, second, "Z"].join("");
}

function readSuppliedHead(name, data) {
  const head = parseHead(latin(data).replaceAll("\r\n", "\n"));
  if (!head) throw new NotABundle(say("{path} is not a head: it does not have the six lines of a head", { path: name }));
  return { name, ledger: head.ledger, size: head.size, written: head.written, digest: head.digest };
}

function readSuppliedCode(text) {
  const code = stripped(text);
  const found = /^([1-9][0-9]{0,17})((?:-[0-9a-f]{4}){5})$/.exec(code.toLowerCase());
  if (!found) throw new NotABundle(say("this is not a head code: {code}", { code }));
  return { name: code.toLowerCase(), ledger: "", size: Number(found[1]), written: found[1], digest: found[2].replaceAll("-", "") };
}
