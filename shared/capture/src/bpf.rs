//! The classic BPF machine: runs the programs libpcap compiles filters to.
//!
//! Our own rather than libpcap's `pcap_offline_filter` for two reasons. The wrapper passes the captured length as the
//! length on the wire, which gives `greater`, `less` and `len` wrong answers on captures with a snap length. And a
//! program here is plain data, so that one filter can be asked from many threads.
//!
//! The instruction set is section 3 of McCanne and Jacobson, "The BSD Packet Filter" (USENIX Winter 1993); the
//! encoding is that of `pcap/bpf.h` and bpf(4): class in bits 0–2, size in 3–4, mode in 5–7, or operation in 4–7 and
//! source in bit 3. As in the paper, a load outside the captured bytes and a division by zero reject the packet.

/// One instruction, as `tcpdump -ddd` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instruction {
    code: u16,
    jump_true: u8,
    jump_false: u8,
    k: u32,
}

/// A checked program: every jump goes forward and stays inside, every scratch cell exists, the last instruction
/// returns. So every run ends after at most as many steps as there are instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program(Vec<Instruction>);

/// Scratch cells, `BPF_MEMWORDS`.
const CELLS: usize = 16;

mod code {
    pub(super) const CLASS: u16 = 0x07;
    pub(super) const LD: u16 = 0x00;
    pub(super) const LDX: u16 = 0x01;
    pub(super) const ST: u16 = 0x02;
    pub(super) const STX: u16 = 0x03;
    pub(super) const ALU: u16 = 0x04;
    pub(super) const JMP: u16 = 0x05;
    pub(super) const RET: u16 = 0x06;
    pub(super) const MISC: u16 = 0x07;

    pub(super) const SIZE: u16 = 0x18;
    pub(super) const WORD: u16 = 0x00;
    pub(super) const HALF: u16 = 0x08;
    pub(super) const BYTE: u16 = 0x10;

    pub(super) const MODE: u16 = 0xe0;
    pub(super) const IMM: u16 = 0x00;
    pub(super) const ABS: u16 = 0x20;
    pub(super) const IND: u16 = 0x40;
    pub(super) const MEM: u16 = 0x60;
    pub(super) const LEN: u16 = 0x80;
    pub(super) const MSH: u16 = 0xa0;

    pub(super) const OPERATION: u16 = 0xf0;
    pub(super) const SOURCE_X: u16 = 0x08;
    pub(super) const JA: u16 = 0x00;
    pub(super) const JEQ: u16 = 0x10;
    pub(super) const JGT: u16 = 0x20;
    pub(super) const JGE: u16 = 0x30;
    pub(super) const JSET: u16 = 0x40;

    pub(super) const RETURN_A: u16 = 0x10;
    pub(super) const TXA: u16 = 0x80;
}

impl Program {
    /// Reads instructions written as four decimal numbers (code, jump if true, jump if false, operand), and checks
    /// them. None when they are not a program that this machine can run to an end.
    pub(crate) fn read<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> Option<Self> {
        let mut instructions = Vec::new();
        for line in lines {
            let mut numbers = line.as_ref().split_ascii_whitespace();
            instructions.push(Instruction {
                code: numbers.next()?.parse().ok()?,
                jump_true: numbers.next()?.parse().ok()?,
                jump_false: numbers.next()?.parse().ok()?,
                k: numbers.next()?.parse().ok()?,
            });
        }
        let program = Self(instructions);
        program.is_sound().then_some(program)
    }

    fn is_sound(&self) -> bool {
        let length = self.0.len();
        let sound = self.0.iter().enumerate().all(|(place, instruction)| {
            let Instruction { code, jump_true, jump_false, k } = *instruction;
            let inside = |distance: usize| place.checked_add(1 + distance).is_some_and(|to| to < length);
            let cell = || usize::try_from(k).is_ok_and(|k| k < CELLS);
            match code & code::CLASS {
                code::LD => match code & code::MODE {
                    code::IMM | code::LEN => true,
                    code::ABS | code::IND => code & code::SIZE <= code::BYTE,
                    code::MEM => cell(),
                    _ => false,
                },
                code::LDX => match code & code::MODE {
                    code::IMM | code::LEN | code::MSH => true,
                    code::MEM => cell(),
                    _ => false,
                },
                code::ST | code::STX => cell(),
                code::ALU => (code & code::OPERATION) <= 0xa0,
                code::JMP => match code & code::OPERATION {
                    code::JA => usize::try_from(k).is_ok_and(inside),
                    code::JEQ | code::JGT | code::JGE | code::JSET => {
                        inside(usize::from(jump_true)) && inside(usize::from(jump_false))
                    }
                    _ => false,
                },
                _ => true,
            }
        });
        sound && self.0.last().is_some_and(|last| last.code & code::CLASS == code::RET)
    }

    /// Whether the program accepts a packet, of which `data` was captured and which was `wire_len` bytes long.
    pub(crate) fn accepts(&self, data: &[u8], wire_len: u32) -> bool {
        let mut a: u32 = 0;
        let mut x: u32 = 0;
        let mut cells = [0u32; CELLS];
        let mut at = 0;
        while let Some(&Instruction { code, jump_true, jump_false, k }) = self.0.get(at) {
            at += 1;
            let operand = if code & code::SOURCE_X == 0 { k } else { x };
            match code & code::CLASS {
                code::LD => {
                    let loaded = match code & code::MODE {
                        code::IMM => Some(k),
                        code::LEN => Some(wire_len),
                        code::MEM => cell(&cells, k),
                        code::ABS => load(data, Some(k), code),
                        _ => load(data, x.checked_add(k), code),
                    };
                    match loaded {
                        Some(value) => a = value,
                        None => return false,
                    }
                }
                code::LDX => {
                    let loaded = match code & code::MODE {
                        code::IMM => Some(k),
                        code::LEN => Some(wire_len),
                        code::MEM => cell(&cells, k),
                        // The length of an IPv4 header, from its first byte.
                        _ => load(data, Some(k), code::BYTE).map(|byte| (byte & 0x0f) * 4),
                    };
                    match loaded {
                        Some(value) => x = value,
                        None => return false,
                    }
                }
                code::ST | code::STX => {
                    let value = if code & code::CLASS == code::ST { a } else { x };
                    if let Some(cell) = usize::try_from(k).ok().and_then(|k| cells.get_mut(k)) {
                        *cell = value;
                    }
                }
                code::ALU => match compute(code & code::OPERATION, a, operand) {
                    Some(value) => a = value,
                    None => return false,
                },
                code::JMP => {
                    let distance = match code & code::OPERATION {
                        code::JA => usize::try_from(k).unwrap_or(usize::MAX),
                        operation => {
                            usize::from(if compare(operation, a, operand) { jump_true } else { jump_false })
                        }
                    };
                    at = at.saturating_add(distance);
                }
                code::RET => return (if code & code::RETURN_A == 0 { k } else { a }) != 0,
                code::MISC if code & code::TXA == 0 => x = a,
                _ => a = x,
            }
        }
        false
    }
}

fn cell(cells: &[u32; CELLS], k: u32) -> Option<u32> {
    cells.get(usize::try_from(k).ok()?).copied()
}

/// A big-endian number of one, two or four bytes.
fn load(data: &[u8], from: Option<u32>, code: u16) -> Option<u32> {
    let rest = data.get(usize::try_from(from?).ok()?..)?;
    match code & code::SIZE {
        code::WORD => rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)),
        code::HALF => rest.first_chunk().map(|bytes| u32::from(u16::from_be_bytes(*bytes))),
        _ => rest.first().map(|byte| u32::from(*byte)),
    }
}

/// The operations in the order of their codes, from add (0x00) to exclusive or (0xa0). Numbers wrap, as in C.
fn compute(operation: u16, a: u32, b: u32) -> Option<u32> {
    Some(match operation {
        0x00 => a.wrapping_add(b),
        0x10 => a.wrapping_sub(b),
        0x20 => a.wrapping_mul(b),
        0x30 => a.checked_div(b)?,
        0x40 => a | b,
        0x50 => a & b,
        0x60 => a.checked_shl(b).unwrap_or(0),
        0x70 => a.checked_shr(b).unwrap_or(0),
        0x80 => a.wrapping_neg(),
        0x90 => a.checked_rem(b)?,
        _ => a ^ b,
    })
}

fn compare(operation: u16, a: u32, b: u32) -> bool {
    match operation {
        code::JEQ => a == b,
        code::JGT => a > b,
        code::JGE => a >= b,
        _ => a & b != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_could_run_on_or_astray_are_refused() {
        let refused: &[&[&str]] = &[
            &[],
            &["0 0 0 0"],                     // no return
            &["5 0 0 4294967295", "6 0 0 1"], // jumps outside
            &["21 0 1 0", "6 0 0 1"],         // one way leads outside
            &["96 0 0 16", "6 0 0 1"],        // a seventeenth cell
            &["6 0 0"],                       // not an instruction
            &["6 0 0 x"],
            &["180 0 0 0", "6 0 0 1"], // no such operation
        ];
        for lines in refused {
            assert_eq!(Program::read(lines.iter()), None, "{lines:?}");
        }
    }

    #[test]
    fn loads_outside_the_captured_bytes_reject() {
        let program = Program::read(["40 0 0 12", "6 0 0 65535"]).unwrap();
        assert!(program.accepts(&[0; 14], 14));
        assert!(!program.accepts(&[0; 13], 1500));
        let indirect = Program::read(["1 0 0 4294967295", "72 0 0 1", "6 0 0 1"]).unwrap();
        assert!(!indirect.accepts(&[0; 64], 64));
    }

    #[test]
    fn division_by_zero_rejects() {
        let program = Program::read(["0 0 0 8", "52 0 0 0", "6 0 0 1"]).unwrap();
        assert!(!program.accepts(&[], 0));
    }
}
