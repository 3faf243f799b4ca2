package calendar

import (
	"slices"
	"time"
)

// Holiday is a day with its name.
type Holiday struct {
	Day  Day
	Name string
}

// Easter is Easter Sunday of a year of the Gregorian calendar, by the algorithm
// of Meeus, Jones and Butcher.
func Easter(year int) Day {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return Date(year, time.Month(n/31), n%31+1)
}

// FrenchHolidays are the eleven public holidays of metropolitan France in a
// year (Code du travail, L3133-1), in order. Alsace-Moselle and the overseas
// départements add theirs by import.
func FrenchHolidays(year int) []Holiday {
	easter := Easter(year)
	all := []Holiday{
		{Date(year, time.January, 1), "1er janvier"},
		{easter + 1, "Lundi de Pâques"},
		{Date(year, time.May, 1), "1er mai"},
		{Date(year, time.May, 8), "8 mai"},
		{easter + 39, "Ascension"},
		{easter + 50, "Lundi de Pentecôte"},
		{Date(year, time.July, 14), "14 juillet"},
		{Date(year, time.August, 15), "Assomption"},
		{Date(year, time.November, 1), "Toussaint"},
		{Date(year, time.November, 11), "11 novembre"},
		{Date(year, time.December, 25), "Jour de Noël"},
	}
	slices.SortStableFunc(all, func(a, b Holiday) int { return int(a.Day - b.Day) })
	return all
}
