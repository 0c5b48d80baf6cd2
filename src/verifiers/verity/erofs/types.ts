/** An EROFS image as its reader sees it: bytes on demand in, a tree of files with their places in the image out. */

/** Exactly `length` bytes from `offset`, of an image that is read without holding it. The caller keeps within `sizeBytes`. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

export interface Image {
  /** As it was named, for messages. */
  readonly name: string;
  /** Bytes that may be read: the file's, or those before the hash area. */
  readonly sizeBytes: number;
  readonly read: ReadAt;
}

/** Bytes of a file in the image; a hole (a chunk that is not stored) has no offset and reads as zeros. */
export interface Extent {
  readonly offset: number | undefined;
  readonly length: number;
}

export type EntryKind = "file" | "directory" | "symlink" | "character" | "block" | "fifo" | "socket";

export interface ErofsEntry {
  /** From the root, parts joined by "/", without a slash at the beginning; the root itself is "". UTF-8, refused where it is not. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Permission bits with set-user-ID, set-group-ID and sticky: the low 12 bits of st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nid: bigint;
  readonly links: number;
  readonly sizeBytes: number;
  /** In order, of a regular file; their lengths add up to `sizeBytes`. */
  readonly extents: readonly Extent[];
  /** Of a symbolic link. */
  readonly target: string | undefined;
}
