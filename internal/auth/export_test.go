package auth

import "time"

// FailSignIns notes n failed sign-ins a second apart, ending at an instant.
func (s *Service) FailSignIns(login, from string, n int, last time.Time) {
	for i := range n {
		s.throttle.mu.Lock()
		s.throttle.pairs.fail(keyOf("pair", login+"\x00"+addressKey(from)), pairLimit, last.Add(time.Duration(i-n+1)*time.Second))
		s.throttle.mu.Unlock()
	}
}
