// The voice of a hall: calls are spoken one after the other, none is dropped or overwritten; a backlog makes them short.
// Which clips say a call is the server's knowledge (displays/voice.py) and comes with it.

const AIR_S = 0.04; // between two clips
const BREATH_S = 0.6; // between two readings

export class Voice {
  /**
   * `ladder` is [[least waiting, repeats, short], …], longest backlog first. `fresh(call)` says whether a call may
   * still be spoken, `speaking(call | null)` is told what is being said, `blocked(yes)` whether the browser forbids sound.
   */
  constructor({ clips, bank, languages, ladder, fresh, speaking, blocked }) {
    Object.assign(this, { clips, languages, ladder, fresh, speaking, blocked });
    this.queue = [];
    this.busy = false;
    this.sounds = new Map(); // clip → promise of its samples, null when there are none
    if (!languages.length) return;
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!Context) return;
    this.context = new Context();
    this.context.addEventListener("statechange", () => this.ready());
    setTimeout(() => this.ready(), 800);
    this.preload(bank.filter((clip) => languages.some((l) => clip.startsWith(l)) || !clip.includes("-")));
  }

  get silent() {
    return !this.context || this.context.state !== "running";
  }

  /** Called from a visitor's tap: browsers let a page speak only then. */
  enable() {
    if (this.context) this.context.resume().then(() => this.ready(), () => {});
  }

  ready() {
    this.blocked(Boolean(this.context) && this.silent);
    this.pump();
  }

  add(call) {
    if (!this.context || !this.fresh(call)) return;
    this.queue.push(call);
    this.pump();
  }

  async pump() {
    if (this.busy) return;
    if (this.silent) {
      this.queue = this.queue.filter(this.fresh); // what could not be said in time is only shown
      return;
    }
    if (!this.queue.length) return;
    this.busy = true;
    const [, repeats, short] = this.ladder.find(([least]) => this.queue.length >= least);
    const call = this.queue.shift();
    this.speaking(call);
    try {
      await this.say(call, repeats, short);
    } catch (error) {
      console.error("call not spoken", call.seq, error); // the next one is
    }
    this.busy = false;
    this.speaking(null);
    document.dispatchEvent(new CustomEvent("spoken", { detail: { seq: call.seq, number: call.number, repeats, short } }));
    this.pump();
  }

  async say(call, repeats, short) {
    await this.play(["chime"]);
    for (let i = 0; i < repeats; i += 1) {
      const language = this.languages[i % this.languages.length];
      if (i) await wait(BREATH_S);
      await this.play(call.clips[language][short ? "short" : "full"]);
    }
  }

  /** Play the clips end to end; resolves when the last one is over, and in any case when it should be. */
  async play(names) {
    const sounds = (await Promise.all(names.map((name) => this.load(name)))).filter(Boolean);
    let at = this.context.currentTime + 0.05;
    for (const sound of sounds) {
      const source = this.context.createBufferSource();
      source.buffer = sound;
      source.connect(this.context.destination);
      source.start(at);
      at += sound.duration + AIR_S;
    }
    await wait(at - this.context.currentTime);
  }

  load(name) {
    if (!this.sounds.has(name)) {
      const sound = fetch(`${this.clips}${encodeURIComponent(name)}.wav`)
        .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(`${answer.status}`))))
        .then((bytes) => this.context.decodeAudioData(bytes))
        .catch(() => {
          this.sounds.delete(name); // tried again with the next call
          return null;
        });
      this.sounds.set(name, sound);
    }
    return this.sounds.get(name);
  }

  async preload(names) {
    for (const name of names) await this.load(name); // one by one: the page has better things to fetch
  }
}

const wait = (s) => new Promise((done) => { setTimeout(done, s * 1000); });
