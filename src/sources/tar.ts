/** Reads the plain part of tar (POSIX 1003.1-1988 ustar, and GNU's spelling of it) that a bundle needs: files, folders. */
import { malformed } from "../errors.ts";

const block = 512;
const bad = (what: string, at: number) => malformed(`bundle: tar: ${what} at offset ${at}`);

/**
 * Files by name, as views of `bytes`. Links, devices, extended headers, doubled names, wrong check sums, lengths beyond
 * the end and bytes after the end mark are refused.
 * @throws PmError PM_EVIDENCE_MALFORMED
 */
export function decodeTar(bytes: Uint8Array, maxFiles: number): ReadonlyMap<string, Uint8Array> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw malformed("bundle: tar: compressed with gzip; unpack it first");
  const files = new Map<string, Uint8Array>();
  for (let at = 0; ; ) {
    const header = bytes.subarray(at, at + block);
    if (header.length < block) throw bad("ends without its end mark", at);
    if (header.every((b) => b === 0)) {
      if (bytes.length < at + 2 * block) throw bad("ends without its end mark", at);
      const more = bytes.subarray(at).findIndex((b) => b !== 0);
      if (more >= 0) throw bad("bytes after the end mark", at + more);
      return files;
    }
    const entry = decodeHeader(header, at);
    const start = at + block;
    const end = start + entry.size;
    at = start + Math.ceil(entry.size / block) * block;
    if (at > bytes.length) throw bad(`"${entry.name}" is cut off`, start);
    if (bytes.subarray(end, at).some((b) => b !== 0)) throw bad(`padding of "${entry.name}" is not zero`, end);
    if (entry.folder) continue;
    if (files.has(entry.name)) throw bad(`"${entry.name}" is there twice`, start - block);
    if (files.size >= maxFiles) throw bad(`more than ${maxFiles} files`, start - block);
    files.set(entry.name, bytes.subarray(start, end));
  }
}

/** Field offsets: name 0, size 124, chksum 148, typeflag 156, magic 257, prefix 345. */
function decodeHeader(header: Uint8Array, at: number): { name: string; size: number; folder: boolean } {
  const magic = ascii(header, 257, 8);
  if (magic !== "ustar\x0000" && magic !== "ustar  \0") throw bad("not a tar header", at);
  let sum = 8 * 0x20; // the check sum field itself counts as spaces
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  if (octal(header, 148, 8, at) !== sum) throw bad("wrong check sum", at);
  const type = ascii(header, 156, 1);
  if (type !== "0" && type !== "\0" && type !== "5")
    throw bad("an entry that is neither file nor folder (unpack it and give the folder)", at);
  const prefix = text(header, 345, 155);
  const own = text(header, 0, 100);
  const name = prefix === "" || magic.endsWith(" \0") ? own : `${prefix}/${own}`;
  const folder = type === "5";
  if (!safeName(folder ? name.replace(/\/$/, "") : name)) throw bad("a name that leaves the bundle", at);
  const size = octal(header, 124, 12, at);
  if (folder && size !== 0) throw bad("a folder with content", at);
  return { name: name.replace(/^\.\//, ""), size, folder };
}

/** Relative, and no step up; a bundle has no names beyond these characters. */
const safeName = (name: string): boolean =>
  name === "." ||
  (/^[A-Za-z0-9._/-]{1,200}$/.test(name) &&
    name
      .replace(/^\.\//, "")
      .split("/")
      .every((part) => !/^\.{0,2}$/.test(part)));

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  Buffer.from(bytes.subarray(at, at + length)).toString("latin1");
const text = (bytes: Uint8Array, at: number, length: number): string =>
  ascii(bytes, at, length).replace(/\0[\s\S]*$/, "");

function octal(bytes: Uint8Array, at: number, length: number, header: number): number {
  const digits = /^ *([0-7]{1,12})[ \0]*$/.exec(ascii(bytes, at, length))?.[1];
  if (digits === undefined) throw bad("a number that is not octal", header + at);
  return Number.parseInt(digits, 8);
}
