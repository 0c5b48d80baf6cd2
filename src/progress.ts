/** One line on a terminal for work that takes minutes: how much is done, how fast, how long it will take. */
import { count } from "./report/text.ts";

const everyMs = 250;
const rateOverMs = 5000;
const mega = 1_000_000;

export interface ProgressLine {
  update(doneBytes: number, totalBytes: number): void;
  /** Takes the line away: what follows stands by itself. */
  end(): void;
}

const nothing: ProgressLine = { update: () => undefined, end: () => undefined };

/** Nothing is written where stderr is no terminal. */
export function progressLine(what: string, stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  if (stream.isTTY !== true) return nothing;
  let seen: { readonly at: number; readonly bytes: number }[] = [];
  let shown = 0;
  return {
    update(doneBytes, totalBytes) {
      const now = performance.now();
      seen = [...seen.filter((s) => now - s.at <= rateOverMs), { at: now, bytes: doneBytes }];
      if (now - shown < everyMs && doneBytes < totalBytes) return;
      shown = now;
      const first = seen[0];
      const seconds = first === undefined ? 0 : (now - first.at) / 1000;
      const rate = first === undefined || seconds === 0 ? 0 : (doneBytes - first.bytes) / seconds;
      const left = rate > 0 ? `, ${durationText((totalBytes - doneBytes) / rate)} left` : "";
      const percent = totalBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes * 100) / totalBytes));
      const text = `${what}: ${percent} % of ${Math.ceil(totalBytes / mega)} MB, ${Math.round(rate / mega)} MB/s${left}`;
      stream.write(`\r\u001b[2K${text.slice(0, Math.max(1, (stream.columns || 80) - 1))}`);
    },
    end: () => void stream.write("\r\u001b[2K"),
  };
}

/** Whole seconds, minutes and seconds, or hours and minutes. */
function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return count(whole, "second");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
