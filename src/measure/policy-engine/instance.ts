/** One instance of the engine: JSON in, JSON out, and a time limit. What threw once is never asked again. */
import { createContext, Script } from "node:vm";

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly pm_alloc: (length: number) => number;
  readonly pm_free: (at: number, length: number) => void;
  readonly pm_call: (at: number, length: number) => bigint;
}

export type EngineCall =
  | { readonly op: "load"; readonly rego: "v0" | "v1"; readonly policy: string }
  | { readonly op: "begin"; readonly state: string }
  | { readonly op: "ask"; readonly endpoint: string; readonly input: string }
  | { readonly op: "commit" | "state" };

/** The union of the answers in reproducible/policy-engine/src/protocol.rs. */
export interface EngineReply {
  readonly error?: string;
  readonly misuse?: string;
  readonly allowed?: boolean;
  readonly ops?: readonly unknown[];
  readonly prints?: readonly string[];
  readonly refused?: string;
  readonly limit?: string;
  readonly state?: string;
}

/** The engine was stopped in a call, and with it the instance. */
export class EngineStopped extends Error {
  /** It was still busy when its time was over. */
  readonly timedOut: boolean;
  constructor(message: string, { timedOut = false, cause }: { timedOut?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.timedOut = timedOut;
  }
}

/** An answer has at most 256 KiB of ops and some prints; a state that grew beyond this is not carried on. */
const maxReplyBytes = 8 * 1024 * 1024;

export class Instance {
  readonly #exports: Exports;
  readonly #context: { call: () => void };
  readonly #script = new Script("call()");
  constructor(module: WebAssembly.Module) {
    // Nothing is given to it: no clock, no network, no random numbers, and a module that asks for any is no instance.
    // The cast states what loadEngine's digest guarantees: the pinned module has these exports (module.test.ts).
    this.#exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    this.#context = { call: () => undefined };
    createContext(this.#context);
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** @throws EngineStopped in words, after which this instance has no defined state */
  call(request: EngineCall, timeoutMs: number): EngineReply {
    return JSON.parse(this.text(request, timeoutMs)) as EngineReply;
  }

  /** The engine's own bytes. @throws EngineStopped as `call` does */
  text(request: EngineCall, timeoutMs: number): string {
    const text = Buffer.from(JSON.stringify(request));
    let reply = "";
    this.#context.call = () => {
      reply = this.#raw(text);
    };
    try {
      // Only so is WebAssembly interrupted within this thread: 0.2 ms a call (bench/policy-engine.ts, Node 24).
      this.#script.runInContext(this.#context, { timeout: Math.max(1, Math.ceil(timeoutMs)) });
    } catch (error) {
      throw new EngineStopped(this.#inWords(error, timeoutMs), { timedOut: isTimeout(error), cause: error });
    }
    return reply;
  }

  #raw(text: Buffer): string {
    const { memory, pm_alloc, pm_call, pm_free } = this.#exports;
    const at = pm_alloc(text.length) >>> 0;
    new Uint8Array(memory.buffer, at, text.length).set(text);
    // A signed 64-bit number: the address is its upper half, the length its lower.
    const packed = BigInt.asUintN(64, pm_call(at, text.length));
    const [start, length] = [Number(packed >> 32n), Number(packed & 0xffff_ffffn)];
    if (length > maxReplyBytes)
      throw new EngineStopped(`the engine's answer has ${length} bytes, at most ${maxReplyBytes}`);
    const reply = Buffer.from(memory.buffer, start, length).toString("utf8");
    pm_free(start, length);
    return reply;
  }

  #inWords(error: unknown, timeoutMs: number): string {
    if (error instanceof EngineStopped) return error.message;
    // Errors of the script's own realm are no instances of this realm's classes.
    const { name } = Object(error) as { readonly name?: unknown };
    if (isTimeout(error)) return `no answer within ${Math.ceil(timeoutMs)} ms`;
    if (name === "RangeError") return "the engine's stack overflowed: recursion or deep nesting";
    const used = `${Math.round(this.memoryBytes / 1024 / 1024)} MiB used`;
    return `the engine stopped (${used}): memory limit, random numbers, or an error of its own`;
  }
}

const isTimeout = (error: unknown): boolean =>
  (Object(error) as { readonly code?: unknown }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
