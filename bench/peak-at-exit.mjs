// Preloaded into a child: writes the most memory that the whole process ever held, in bytes, to descriptor 3 when it ends.
import { readFileSync, writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

// Worker threads load this file, too, and are in the number of the process.
if (isMainThread) process.on("exit", () => writeSync(3, String(peakKib() * 1024)));

/** On Linux maxRSS counts the parent as it was at exec (298 MB for a pm of 90 MB); VmHWM begins with the program. */
function peakKib() {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
}
