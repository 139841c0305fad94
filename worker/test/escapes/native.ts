import { chmod, writeFile } from 'node:fs/promises';

const BASE = 0x400000;
const HEADERS = 64 + 56;

const number32 = (value: number): number[] => [...new Uint8Array(new Uint32Array([value]).buffer)];
/** mov register, value; by the opcode of the register's short form. */
const move = (opcode: number, value: number): number[] => [opcode, ...number32(value)];
const EAX = 0xb8;
const EDX = 0xba;
const EDI = 0xbf;
const SYSCALL = [0x0f, 0x05];
// xor edi, edi; esi; edx; r10d; r8d; r9d: every argument is zero, so that a call that is let through does as little as can be.
const NO_ARGUMENTS = [0x31, 0xff, 0x31, 0xf6, 0x31, 0xd2, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xc0, 0x45, 0x31, 0xc9];

/**
 * A program for x64 Linux without any library that makes each system call once, without arguments, and writes what the kernel answers to
 * stdout, eight bytes each. Made here, because no compiler can be expected where the tests run.
 */
export function programOfCalls(numbers: readonly number[]): Uint8Array {
  const code = numbers.flatMap((number) => [
    ...NO_ARGUMENTS,
    ...move(EAX, number),
    ...SYSCALL,
    0x50, // push rax
    ...[0x48, 0x89, 0xe6], // mov rsi, rsp
    ...move(EDI, 1),
    ...move(EDX, 8),
    ...move(EAX, 1),
    ...SYSCALL, // write
    0x59, // pop rcx
  ]);
  code.push(0x31, 0xff, ...move(EAX, 60), ...SYSCALL); // exit
  const bytes = new Uint8Array(HEADERS + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // executable
  view.setUint16(18, 62, true); // x64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(BASE + HEADERS), true); // entry
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // load
  view.setUint32(68, 5, true); // read and execute
  view.setBigUint64(80, BigInt(BASE), true);
  view.setBigUint64(88, BigInt(BASE), true);
  view.setBigUint64(96, BigInt(bytes.length), true);
  view.setBigUint64(104, BigInt(bytes.length), true);
  view.setBigUint64(112, 0x1000n, true);
  bytes.set(code, HEADERS);
  return bytes;
}

/** Writes it to `path`. */
export async function writeProgramOfCalls(path: string, numbers: readonly number[]): Promise<void> {
  await writeFile(path, programOfCalls(numbers));
  await chmod(path, 0o755);
}
