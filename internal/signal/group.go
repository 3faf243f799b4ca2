package signal

import "slices"

// Group is a signal with those that are parts of it: the schools that make a
// département's rise, the type of problem that makes a school's.
type Group struct {
	Signal

	Parts []Signal // the largest excess first
}

// Together sets signals that go on under those that hold them, in the order in
// which they came; nothing is left out.
func Together(all []Signal) []Group {
	var groups []Group
	for k := range all {
		at := slices.IndexFunc(groups, func(g Group) bool { return g.holds(&all[k]) })
		if at < 0 {
			groups = append(groups, Group{Signal: all[k]})
		} else {
			groups[at].Parts = append(groups[at].Parts, all[k])
		}
	}
	return groups
}

// holds tells whether the incidents of another signal are among those of this
// one.
func (s *Signal) holds(o *Signal) bool {
	if s.Method != o.Method || s.Method != Warning || len(o.Schools) == 0 {
		return false
	}
	for _, school := range o.Schools {
		if len(s.Schools) > 0 && !slices.Contains(s.Schools, school) {
			return false
		}
	}
	now, other := s.Current(), o.Current()
	return (s.Category == o.Category || s.Category == 0) && now.Excess() >= other.Excess()
}
