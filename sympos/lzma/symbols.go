// SPDX-License-Identifier: GPL-2.0-or-later

package lzma

import (
	"encoding/binary"
	"io"
)

// LZMA is a sequence of symbols, in bits that a range coder packed with the probability that each
// of them was predicted with (LZMA specification, lzma-specification.txt of the LZMA SDK):
//
//	0       literal: 8 bits, predicted by the byte before; after a match also by the byte
//	        that the match would have had next
//	1 0     match: length, distance
//	1 1     match at one of the last four distances, rep0 to rep3:
//	        0 0 one byte at rep0, 0 1 rep0, 1 0 rep1, 1 1 0 rep2, 1 1 1 rep3; length
//
// The state says which kinds the last symbols were; below 7 the last one was a literal.

const (
	maxPb       = 4
	states      = 12
	topValue    = 1 << 24 // the range is at least this before a bit is decoded
	even        = 1 << 10 // a probability: 0 and 1 are equally likely
	endMark     = 1<<32 - 1
	minLength   = 2
	fullSlots   = 14 // slots of which all bits of a distance are predicted
	lengthHigh  = 2 + 2<<maxPb*8
	lengthProbs = lengthHigh + 256
)

// A decoder unpacks into out. Between calls of run its fields are the state; run works on copies
// in local variables, which is half of its speed.
type decoder struct {
	out   []byte // len: how much was unpacked
	start int    // copies do not come from before it in out
	dict  int    // nor from more than that before
	in    []byte
	at    int // in in

	rng, code  uint32
	state      uint32
	rep        [4]uint32 // distances - 1
	pending    int       // bytes of the last match that are still to be copied
	ended      bool      // the end was marked
	lc, lp, pb uint

	isMatch   [states << maxPb]uint16
	isRep     [states]uint16
	isRep0    [states]uint16
	isRep1    [states]uint16
	isRep2    [states]uint16
	isLong    [states << maxPb]uint16 // else one byte at rep0
	slots     [4][64]uint16           // of distances, by length
	special   [128]uint16             // low bits of distances with slots 4 to 13
	align     [16]uint16              // the lowest 4 bits of larger ones
	length    [lengthProbs]uint16
	repLength [lengthProbs]uint16
	literal   []uint16 // 0x300 for each context
}

// reset forgets what is known of the data, but not the data.
func (d *decoder) reset() {
	d.state, d.rep = 0, [4]uint32{}
	for _, probs := range [][]uint16{d.isMatch[:], d.isRep[:], d.isRep0[:], d.isRep1[:],
		d.isRep2[:], d.isLong[:], d.slots[0][:], d.slots[1][:], d.slots[2][:], d.slots[3][:],
		d.special[:], d.align[:], d.length[:], d.repLength[:]} {
		fill(probs)
	}
	n := 0x300 << (d.lc + d.lp)
	if cap(d.literal) < n {
		d.literal = make([]uint16, n)
	}
	d.literal = d.literal[:n]
	fill(d.literal)
}

func fill(probs []uint16) {
	for i := range probs {
		probs[i] = even
	}
}

// begin reads what the range coder begins with.
func (d *decoder) begin() error {
	if len(d.in)-d.at < 5 {
		return io.ErrUnexpectedEOF
	}
	if d.in[d.at] != 0 {
		return ErrDamaged
	}
	d.rng, d.code = 1<<32-1, binary.BigEndian.Uint32(d.in[d.at+1:])
	d.at += 5
	d.pending, d.ended = 0, false
	return nil
}

// normalize reads the next byte if the range has become small. Past the end of the input it
// only counts; run notices that after each symbol.
func normalize(rng, code uint32, in []byte, at int) (uint32, uint32, int) {
	if rng < topValue {
		rng <<= 8
		code <<= 8
		if at < len(in) {
			code |= uint32(in[at])
		}
		at++
	}
	return rng, code, at
}

// decode decodes a bit of the probability *p. It has no branch: which way it went would be
// predicted wrongly as often as the data is not compressible.
func decode(p *uint16, rng, code uint32) (bit, newRange, newCode uint32) {
	v := uint32(*p)
	bound := rng >> 11 * v
	zero := uint32(int64(uint64(code)-uint64(bound)) >> 63) // all bits set if the bit is 0
	*p = uint16(int32(v) - int32(v-zero&(1<<11-31))>>5)
	return zero + 1, bound&zero + (rng-bound)&^zero, code - bound&^zero
}

// tree decodes the bits of a number from the highest on, each with a probability for what came
// before it. It returns the number with a 1 before it: less than 2·limit.
func tree(probs []uint16, limit uint32, rng, code uint32, in []byte, at int) (
	n, newRange, newCode uint32, newAt int,
) {
	n = 1
	probs = probs[:limit]
	for n < uint32(len(probs)) {
		var bit uint32
		rng, code, at = normalize(rng, code, in, at)
		bit, rng, code = decode(&probs[n], rng, code)
		n = n<<1 | bit
	}
	return n, rng, code, at
}

// reverse decodes bits from the lowest on.
func reverse(probs []uint16, bits, rng, code uint32, in []byte, at int) (
	n, newRange, newCode uint32, newAt int,
) {
	context := uint32(1)
	for i := range bits {
		var bit uint32
		rng, code, at = normalize(rng, code, in, at)
		bit, rng, code = decode(&probs[context], rng, code)
		context = context<<1 | bit
		n |= bit << i
	}
	return n, rng, code, at
}

// readLength decodes a length: 3, 3 or 8 bits.
func readLength(probs *[lengthProbs]uint16, position, rng, code uint32, in []byte, at int) (
	n, newRange, newCode uint32, newAt int,
) {
	var bit uint32
	rng, code, at = normalize(rng, code, in, at)
	if bit, rng, code = decode(&probs[0], rng, code); bit == 0 {
		n, rng, code, at = tree(probs[2+position*8:], 8, rng, code, in, at)
		return n - 8 + minLength, rng, code, at
	}
	rng, code, at = normalize(rng, code, in, at)
	if bit, rng, code = decode(&probs[1], rng, code); bit == 0 {
		n, rng, code, at = tree(probs[2+1<<maxPb*8+position*8:], 8, rng, code, in, at)
		return n - 8 + 8 + minLength, rng, code, at
	}
	n, rng, code, at = tree(probs[lengthHigh:], 256, rng, code, in, at)
	return n - 256 + 16 + minLength, rng, code, at
}

// readDistance decodes a distance - 1: 6 bits for its length and the bit after its highest one,
// then the bits below.
func (d *decoder) readDistance(length, rng, code uint32, in []byte, at int) (
	distance, newRange, newCode uint32, newAt int,
) {
	slot, rng, code, at := tree(d.slots[min(length-minLength, 3)][:], 64, rng, code, in, at)
	slot -= 64
	if slot < 4 {
		return slot, rng, code, at
	}
	bits := slot>>1 - 1
	distance = (2 | slot&1) << bits
	var low uint32
	if slot < fullSlots {
		low, rng, code, at = reverse(d.special[distance-slot:], bits, rng, code, in, at)
		return distance + low, rng, code, at
	}
	var direct uint32
	for range bits - 4 { // both values equally likely
		rng, code, at = normalize(rng, code, in, at)
		rng >>= 1
		code -= rng
		negative := uint32(int32(code) >> 31)
		code += rng & negative
		direct = direct<<1 + negative + 1
	}
	low, rng, code, at = reverse(d.align[:], 4, rng, code, in, at)
	return distance + direct<<4 + low, rng, code, at
}

// run unpacks until out has the length end, for which there is room, or the end is marked. What
// remains of a match is pending. If out has that length already, it decodes one symbol.
func (d *decoder) run(end int) (err error) {
	var (
		rng, code, state = d.rng, d.code, d.state
		in, at           = d.in, d.at
		pos              = len(d.out)
		out              = d.out[:end]
		literal          = d.literal
		positions        = uint32(1)<<d.pb - 1
		literals         = 1<<d.lp - 1
		lc               = d.lc
		rep0             = int(d.rep[0])
		one              = pos == end
		bit              uint32
	)
	if d.pending > 0 {
		n := min(d.pending, end-pos)
		copyMatch(out, pos, rep0+1, n)
		pos += n
		d.pending -= n
	}
	for (pos < len(out) || one) && d.pending == 0 {
		one = false
		position := uint32(pos-d.start) & positions
		rng, code, at = normalize(rng, code, in, at)
		p := &d.isMatch[state<<maxPb|position]
		if bound := rng >> 11 * uint32(*p); code < bound {
			rng = bound
			*p += (1<<11 - *p) >> 5
			if pos == len(out) { // the end is not marked
				err = ErrDamaged
				break
			}
			var before byte
			if pos > d.start {
				before = out[pos-1]
			}
			context := (pos-d.start)&literals<<lc | int(before)>>(8-lc)
			probs := (*[0x300]uint16)(literal[0x300*context:])
			symbol := uint32(1)
			if state < 7 {
				for symbol < 0x100 {
					rng, code, at = normalize(rng, code, in, at)
					bit, rng, code = decode(&probs[symbol], rng, code)
					symbol = symbol<<1 | bit
				}
			} else {
				match := uint32(out[pos-rep0-1])
				offset := uint32(0x100)
				for symbol < 0x100 {
					match <<= 1
					expected := match & offset
					rng, code, at = normalize(rng, code, in, at)
					bit, rng, code = decode(&probs[offset+expected+symbol], rng, code)
					symbol = symbol<<1 | bit
					offset &= expected ^ (bit - 1)
				}
			}
			out[pos] = byte(symbol)
			pos++
			state = afterLiteral[state]
		} else {
			code -= bound
			rng -= bound
			*p -= *p >> 5
			var length uint32
			rng, code, at = normalize(rng, code, in, at)
			if bit, rng, code = decode(&d.isRep[state], rng, code); bit == 0 {
				length, rng, code, at = readLength(&d.length, position, rng, code, in, at)
				d.rep[3], d.rep[2], d.rep[1] = d.rep[2], d.rep[1], uint32(rep0)
				var distance uint32
				distance, rng, code, at = d.readDistance(length, rng, code, in, at)
				rep0 = int(distance)
				if state < 7 {
					state = 7
				} else {
					state = 10
				}
				if distance == endMark {
					rng, code, at = normalize(rng, code, in, at)
					d.ended = true
					break
				}
			} else {
				rng, code, at = normalize(rng, code, in, at)
				if bit, rng, code = decode(&d.isRep0[state], rng, code); bit == 0 {
					rng, code, at = normalize(rng, code, in, at)
					bit, rng, code = decode(&d.isLong[state<<maxPb|position], rng, code)
					length = 1
				} else {
					rng, code, at = normalize(rng, code, in, at)
					which := uint32(1)
					if bit, rng, code = decode(&d.isRep1[state], rng, code); bit != 0 {
						rng, code, at = normalize(rng, code, in, at)
						bit, rng, code = decode(&d.isRep2[state], rng, code)
						which = 2 + bit
					}
					distance := d.rep[which]
					copy(d.rep[2:which+1], d.rep[1:which])
					d.rep[1], rep0 = uint32(rep0), int(distance)
					bit = 1
				}
				switch {
				case bit != 0:
					length, rng, code, at = readLength(&d.repLength, position, rng, code, in, at)
					state = state / 7 * 3 // 0 or 3
					state += 8
				case state < 7:
					state = 9
				default:
					state = 11
				}
			}
			if rep0 >= pos-d.start || rep0 >= d.dict || pos == len(out) {
				err = ErrDamaged
				break
			}
			n := int(length)
			if n > len(out)-pos {
				d.pending = n - (len(out) - pos)
				n = len(out) - pos
			}
			copyMatch(out, pos, rep0+1, n)
			pos += n
		}
		if at > len(in) {
			break
		}
	}
	if !d.ended && err == nil {
		rng, code, at = normalize(rng, code, in, at)
	}
	if at > len(in) {
		err = io.ErrUnexpectedEOF
		at = len(in)
	}
	d.out, d.at, d.rng, d.code, d.state, d.rep[0] = out[:pos], at, rng, code, state, uint32(rep0)
	return err
}

var afterLiteral = [states]uint32{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}

// copyMatch copies n bytes to out[to:] from distance before it. They may overlap: then what was
// copied is copied again.
func copyMatch(out []byte, to, distance, n int) {
	from := to - distance
	if distance >= n && n > 32 {
		copy(out[to:to+n], out[from:])
		return
	}
	if distance >= 8 && len(out)-to >= n+8 { // bytes after the copy are written later
		for i := 0; i < n; i += 8 {
			binary.LittleEndian.PutUint64(out[to+i:], binary.LittleEndian.Uint64(out[from+i:]))
		}
		return
	}
	for i := range n {
		out[to+i] = out[from+i]
	}
}
