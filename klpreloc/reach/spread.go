// SPDX-License-Identifier: GPL-2.0-or-later

package reach

// spread returns, by piece, the set of objects that reach it.
//
// Pieces that reach each other have the same set. Tarjan's algorithm ("Depth-first
// search and linear graph algorithms", 1972) finds these groups, one by one, each
// after all groups that it leads to. Taken in the opposite order, all that leads
// to a group is known when it is its turn: one look at each edge is enough. The
// search keeps a stack of its own, because a module may nest as deep as it likes.
func (w *walk) spread() []int32 {
	const unseen = 0
	var (
		index = make([]int32, w.pieces) // when it was first seen, from 1
		low   = make([]int32, w.pieces) // the earliest that it leads back to
		group = make([]int32, w.pieces) // from 1, once known
		next  = make([]int32, w.pieces) // the edge to follow next
		stack []int32                   // pieces whose group isn't known
		path  []int32                   // pieces from the start to here
		order []int32                   // pieces, by group
		count int32
		clock int32
	)
	for start := 0; start < w.pieces; start++ {
		if index[start] != unseen || w.seeds[start] == 0 {
			continue // what is not seeded or reached has no set
		}
		path = append(path[:0], int32(start))
		for len(path) > 0 {
			v := path[len(path)-1]
			if index[v] == unseen {
				clock++
				index[v], low[v], next[v] = clock, clock, w.heads[v]
				stack = append(stack, v)
			}
			down := false
			for ; next[v] < w.heads[v+1]; next[v]++ {
				t := w.tails[next[v]]
				if index[t] == unseen {
					path, down = append(path, t), true
					break
				}
				if group[t] == 0 {
					low[v] = min(low[v], low[t])
				}
			}
			if down {
				continue
			}
			path = path[:len(path)-1]
			if low[v] != index[v] {
				continue
			}
			count++
			for {
				t := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				group[t] = count
				order = append(order, t)
				if t == v {
					break
				}
			}
		}
	}

	of := make([]int32, count+1) // by group
	for _, v := range order {
		of[group[v]] = w.sets.union(of[group[v]], w.seeds[v])
	}
	for end := len(order); end > 0; {
		begin := end
		for begin > 0 && group[order[begin-1]] == group[order[end-1]] {
			begin--
		}
		set := of[group[order[begin]]]
		for _, v := range order[begin:end] {
			for _, t := range w.tails[w.heads[v]:w.heads[v+1]] {
				of[group[t]] = w.sets.union(of[group[t]], set)
			}
		}
		end = begin
	}
	all := make([]int32, w.pieces)
	for v := range all {
		all[v] = of[group[v]] // group 0: none
	}
	return all
}
