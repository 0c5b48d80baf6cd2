/** Writers of the two carriers, for round trips. Independent of the decoders: offsets and field numbers are written out. */
const varint = (value: bigint): number[] => {
  const out: number[] = [];
  for (let v = value; ; v >>= 7n) {
    if (v < 0x80n) return [...out, Number(v)];
    out.push(Number(v & 0x7fn) | 0x80);
  }
};
export const number = (id: number, value: bigint | number): number[] =>
  BigInt(value) === 0n ? [] : [...varint(BigInt(id << 3)), ...varint(BigInt(value))];
export const bytes = (id: number, value: Iterable<number>): number[] => {
  const body = [...value];
  return [...varint(BigInt((id << 3) | 2)), ...varint(BigInt(body.length)), ...body];
};

const le = (raw: Uint8Array, at: number, size: number): bigint =>
  raw.slice(at, at + size).reduceRight((n, b) => (n << 8n) | BigInt(b), 0n);

function fms(raw: Uint8Array): number {
  const [family = 0, model = 0, stepping = 0] = raw.slice(0x188, 0x18b);
  if (family === 0) return 0;
  return ((family - 0xf) << 20) | ((model >> 4) << 16) | (0xf << 8) | ((model & 0xf) << 4) | stepping;
}

/** Fields of sevsnp.Report for the 1184 bytes. */
export function reportMessage(raw: Uint8Array): number[] {
  const blob = (id: number, at: number, size: number) => bytes(id, raw.slice(at, at + size));
  const int = (id: number, at: number, size: number) => number(id, le(raw, at, size));
  return [
    ...int(1, 0, 4),
    ...int(2, 4, 4),
    ...int(3, 8, 8),
    ...blob(4, 0x10, 16),
    ...blob(5, 0x20, 16),
    ...int(6, 0x30, 4),
    ...int(7, 0x34, 4),
    ...int(8, 0x38, 8),
    ...int(9, 0x40, 8),
    ...int(10, 0x48, 4),
    ...blob(11, 0x50, 64),
    ...blob(12, 0x90, 48),
    ...blob(13, 0xc0, 32),
    ...blob(14, 0xe0, 48),
    ...blob(15, 0x110, 48),
    ...blob(16, 0x140, 32),
    ...blob(17, 0x160, 32),
    ...int(18, 0x180, 8),
    ...blob(19, 0x1a0, 64),
    ...int(20, 0x1e0, 8),
    ...int(21, 0x1e8, 1),
    ...int(22, 0x1e9, 1),
    ...int(23, 0x1ea, 1),
    ...int(24, 0x1ec, 1),
    ...int(25, 0x1ed, 1),
    ...int(26, 0x1ee, 1),
    ...int(27, 0x1f0, 8),
    ...blob(28, 0x2a0, 512),
    ...number(29, fms(raw)),
    ...int(30, 0x1f8, 8),
    ...int(31, 0x200, 8),
  ];
}
export const attestation = (report: readonly number[], chain: readonly number[] = []): Uint8Array =>
  Uint8Array.from([...bytes(1, report), ...(chain.length === 0 ? [] : bytes(2, chain)), ...bytes(3, number(1, 2))]);

/** Certificate table with these entries; GUIDs in text order. */
export function certificateTable(entries: readonly (readonly [guid: string, data: Uint8Array])[]): Uint8Array {
  const header = Buffer.alloc(24 * (entries.length + 1));
  let offset = header.length;
  entries.forEach(([guid, data], i) => {
    header.set(Buffer.from(guid.replaceAll("-", ""), "hex"), 24 * i);
    header.writeUInt32LE(offset, 24 * i + 16);
    header.writeUInt32LE(data.length, 24 * i + 20);
    offset += data.length;
  });
  return new Uint8Array(Buffer.concat([header, ...entries.map(([, data]) => data)]));
}
export const guids = {
  ark: "c0b406a4-a803-4952-9743-3fb6014cd0ae",
  ask: "4ab7b379-bbac-4fe4-a02f-05aef327c782",
  vcek: "63da758d-e664-4564-adc5-f4b93be8accd",
  vlek: "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
};
