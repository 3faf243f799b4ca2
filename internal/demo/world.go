package demo

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"statincidents/internal/calendar"
	"statincidents/internal/directory"
)

// schoolsCSV holds the 58 public collèges of the Loiret: code, name, place,
// pupils in October 2020. Source: ministère de l'Éducation nationale, Annuaire
// de l'éducation and effectifs (data.education.gouv.fr), Licence Ouverte 2.0.
// The pupils of the two collèges that opened in 2021 in the place of one are
// that one's, shared by their numbers of exam candidates.
//
//go:embed schools.csv
var schoolsCSV string

// machine is something with a label, in a room.
type machine struct {
	label string
	room  int
	batch string
}

// The teams of the unit. The first three go to the collèges of their sector.
const (
	teamOrleans = iota
	teamEast
	teamWest
	teamRemote
	teamNetwork
)

var teamNames = []string{"Secteur Orléans", "Secteur Montargis et Pithiviers", "Secteur Beauce et Val de Loire", "Assistance à distance", "Réseaux et serveurs"}

// teamSizes is how many technicians each team has.
var teamSizes = []int{4, 3, 3, 4, 2}

// computersNow is about how many computers the département looks after.
const computersNow = 10_000

func (g *generator) makeSchools() {
	rows, err := csv.NewReader(strings.NewReader(schoolsCSV)).ReadAll()
	if err != nil {
		panic("demo: schools.csv: " + err.Error())
	}
	total := 0.0
	for _, row := range rows[1:] {
		s := School{School: directory.School{UAI: row[0], Name: row[1], Commune: row[2], INSEE: row[3], PostalCode: row[4], Located: true}}
		s.Lat, _ = strconv.ParseFloat(row[5], 64)
		s.Lon, _ = strconv.ParseFloat(row[6], 64)
		s.Pupils, _ = strconv.Atoi(row[7])
		if s.Opened, err = calendar.ParseDay(row[8]); err != nil {
			panic("demo: schools.csv: " + err.Error())
		}
		s.sector = sectorOf(s.Lat, s.Lon)
		s.appetite = math.Exp(0.22*g.rng.NormFloat64() - 0.024)
		s.rooms, s.machines, s.people = map[roomUse][]int{}, map[thing][]machine{}, map[directory.PersonKind][]int{}
		s.Computers = 40 + int(float64(s.Pupils)*0.27*math.Exp(0.12*g.rng.NormFloat64()))
		total += float64(s.Computers)
		g.ds.Schools = append(g.ds.Schools, s)
	}
	for i := range g.ds.Schools {
		s := &g.ds.Schools[i]
		s.Computers = int(math.Round(float64(s.Computers) * computersNow / total))
		g.makeRooms(i)
		g.makeMachines(i)
	}
	g.deliverBadBatch()
	for i := range g.ds.Schools {
		g.sortComputers(&g.ds.Schools[i])
	}
}

// sortComputers files computers by the kinds of incident that they have.
func (g *generator) sortComputers(s *School) {
	s.computers = map[roomUse][]machine{}
	for _, m := range s.machines[aComputer] {
		switch {
		case slices.Contains(s.rooms[useOffice], m.room):
			s.computers[useOffice] = append(s.computers[useOffice], m)
		case slices.Contains(s.rooms[useClass], m.room) || slices.Contains(s.rooms[useStaff], m.room):
			s.computers[useClass] = append(s.computers[useClass], m)
		default:
			s.computers[useLab] = append(s.computers[useLab], m)
		}
	}
}

func sectorOf(lat, lon float64) int {
	switch {
	case math.Hypot(lat-47.90, (lon-1.92)*0.67) < 0.09:
		return teamOrleans
	case lon > 2.2:
		return teamEast
	}
	return teamWest
}

func (g *generator) makeRooms(school int) {
	s := &g.ds.Schools[school]
	add := func(use roomUse, network directory.Network, format string, args ...any) {
		s.rooms[use] = append(s.rooms[use], len(g.ds.Rooms))
		g.ds.Rooms = append(g.ds.Rooms, Room{School: school, Name: fmt.Sprintf(format, args...), Network: network})
	}
	for n := 1; n <= 12+s.Pupils/40; n++ {
		add(useClass, directory.NetworkTeaching, "Salle %d", n)
	}
	for _, name := range []string{"Salle de sciences 1", "Salle de sciences 2", "Salle de musique", "Salle d'arts plastiques"} {
		add(useClass, directory.NetworkTeaching, "%s", name)
	}
	add(useLab, directory.NetworkTeaching, "Salle informatique 1")
	if s.Pupils > 450 {
		add(useLab, directory.NetworkTeaching, "Salle informatique 2")
	}
	add(useLab, directory.NetworkTeaching, "Salle de technologie")
	add(useLibrary, directory.NetworkTeaching, "CDI")
	add(useStaff, directory.NetworkTeaching, "Salle des professeurs")
	for _, name := range []string{"Secrétariat", "Gestion", "Vie scolaire", "Direction", "Infirmerie", "Loge"} {
		add(useOffice, directory.NetworkAdministrative, "%s", name)
	}
	add(useRack, directory.NetworkAdministrative, "Local technique")
}

// batches are the purchases of computers, oldest first, with their share of
// today's computers. BadBatch is delivered apart.
var batches = []struct {
	name  string
	share float64
}{{"HX18A", 0.08}, {"HX19B", 0.15}, {"HX20A", 0.19}, {"HX21B", 0.2}, {"HX22A", 0.16}, {"HX23A", 0.13}, {"HX24B", 0.09}}

func (g *generator) makeMachines(school int) {
	s := &g.ds.Schools[school]
	short := s.UAI[3:7]
	labs := append(slices.Clone(s.rooms[useLab]), s.rooms[useLibrary]...)
	for n := range s.Computers {
		var room int
		switch others := n - 24*len(s.rooms[useLab]); {
		case others < 0:
			room = labs[n%len(s.rooms[useLab])]
		case others < 2*len(s.rooms[useOffice]):
			room = s.rooms[useOffice][others/2]
		case others < 2*len(s.rooms[useOffice])+len(s.rooms[useClass]):
			room = s.rooms[useClass][others-2*len(s.rooms[useOffice])]
		default:
			room = pick(g, append(labs, s.rooms[useStaff]...))
		}
		s.machines[aComputer] = append(s.machines[aComputer], g.newComputer(room, g.drawBatch()))
	}
	for _, room := range s.rooms[useClass] {
		s.machines[aProjector] = append(s.machines[aProjector], machine{label: fmt.Sprintf("VP-%s-%02d", short, len(s.machines[aProjector])+1), room: room})
	}
	for i, place := range []struct {
		use  roomUse
		name string
	}{{useStaff, "PROF"}, {useOffice, "ADMIN"}, {useLibrary, "CDI"}} {
		if i < 2 || s.Pupils > 500 {
			s.machines[aCopier] = append(s.machines[aCopier], machine{label: fmt.Sprintf("KPC-%s-%s-01", short, place.name), room: s.rooms[place.use][0]})
		}
	}
	for n := range 12 + s.Pupils/25 {
		s.machines[aTablet] = append(s.machines[aTablet], machine{label: fmt.Sprintf("TAB-%s-%03d", short, n+1), room: pick(g, s.rooms[useClass])})
	}
	for n, room := range s.rooms[useOffice] {
		s.machines[aPhone] = append(s.machines[aPhone], machine{label: fmt.Sprintf("TEL-%s-%02d", short, n+1), room: room})
	}
	for _, name := range []string{"SRV-%s-PEDA", "SRV-%s-ADMIN"} {
		s.machines[aServer] = append(s.machines[aServer], machine{label: fmt.Sprintf(name, short), room: s.rooms[useRack][0]})
	}
	for n := range 3 + s.Pupils/200 {
		s.machines[aSwitch] = append(s.machines[aSwitch], machine{label: fmt.Sprintf("SW-%s-%02d", short, n+1), room: s.rooms[useRack][0]})
	}
}

func (g *generator) newComputer(room int, batch string) machine {
	return machine{label: fmt.Sprintf("%s-%05d", batch, g.rng.IntN(100_000)), room: room, batch: batch}
}

func (g *generator) drawBatch() string {
	x := g.rng.Float64()
	for _, b := range batches {
		if x -= b.share; x < 0 {
			return b.name
		}
	}
	return batches[len(batches)-1].name
}

// makePeople gives each collège its staff and the unit its technicians. Names
// are drawn from lists of common ones: nobody is meant.
func (g *generator) makePeople() {
	taken := map[string]bool{}
	add := func(school int, k directory.PersonKind) int {
		first, last := g.newName(taken)
		i := len(g.ds.People)
		domain := "unite"
		if school != None {
			domain = strings.ToLower(g.ds.Schools[school].UAI)
			g.ds.Schools[school].people[k] = append(g.ds.Schools[school].people[k], i)
		}
		g.ds.People = append(g.ds.People, Person{
			Key: fmt.Sprintf("%s/p%04d", Source, i+1), Name: first + " " + last, Kind: k, School: school,
			Email: mailbox(first) + "." + mailbox(last) + "@" + domain + ".example",
		})
		return i
	}
	g.ds.Teams = teamNames
	for k, size := range teamSizes {
		var team []int
		for range size {
			i := add(None, directory.Staff)
			g.ds.People[i].Team = teamNames[k]
			team = append(team, i)
		}
		g.techs = append(g.techs, team)
	}
	g.ds.People[g.techs[teamOrleans][0]].Key = keyTechnician
	g.ds.People[add(None, directory.Staff)].Key = keyLead
	for school := range g.ds.Schools {
		for range 12 + g.ds.Schools[school].Pupils/40 {
			add(school, directory.Teacher)
		}
		for range 5 {
			add(school, directory.Administrative)
		}
		add(school, directory.ITReferent)
		add(school, directory.Caretaker)
	}
	host := g.ds.Schools[g.schoolOf(projectorUAI)]
	g.ds.People[host.people[directory.ITReferent][0]].Key = keyReferent
	g.ds.People[host.people[directory.Teacher][0]].Key = keyDeclarant
}

func (g *generator) newName(taken map[string]bool) (first, last string) {
	for {
		first, last = pick(g, firstNames), pick(g, lastNames)
		if name := first + " " + last; !taken[name] {
			taken[name] = true
			return first, last
		}
	}
}

func mailbox(s string) string {
	return strings.NewReplacer("é", "e", "è", "e", "ê", "e", "ë", "e", "ï", "i", "î", "i", "ô", "o", "ç", "c", "à", "a", "â", "a", "É", "e", " ", "-", "'", "").Replace(strings.ToLower(s))
}

// makeExposures tells computers and pupils at each rentrée, growing slowly to
// what stands today, and a mid-year delivery here and there.
func (g *generator) makeExposures() {
	last := g.today.SchoolYear()
	for i := range g.ds.Schools {
		s := &g.ds.Schools[i]
		for year := g.start.SchoolYear(); year <= last; year++ {
			age := float64(last - year)
			computers := float64(s.Computers) * (1 - 0.022*age) * math.Exp(0.01*g.rng.NormFloat64())
			pupils := float64(s.Pupils) * (1 + 0.004*age) * math.Exp(0.015*g.rng.NormFloat64())
			if year == last {
				computers, pupils = float64(s.Computers), float64(s.Pupils)
			}
			from := calendar.Date(year, 9, 1)
			g.ds.Exposures = append(g.ds.Exposures, Exposure{i, from, int(math.Round(computers)), int(math.Round(pupils))})
			if mid := calendar.Date(year+1, 2, 1); g.rng.Float64() < 0.25 && mid < g.today && year < last {
				g.ds.Exposures = append(g.ds.Exposures, Exposure{i, mid, int(math.Round(computers)) + g.rng.IntN(9), int(math.Round(pupils))})
			}
		}
		// A day off of the school's own: works, elections, weather.
		if g.rng.Float64() < 0.3 {
			if d := g.start + calendar.Day(g.rng.IntN(int(g.today-g.start))); g.school.Kind(d) == calendar.OpenDay {
				g.ds.Closures = append(g.ds.Closures, Closure{i, d, d, pick(g, []string{"Travaux électriques", "Intempéries, transports suspendus", "Centre d'examen"})})
			}
		}
	}
}

// tiltSchools makes each school lean to some kinds of incident more than others.
func (g *generator) tiltSchools() {
	for i := range g.ds.Schools {
		tilt := make([]float64, len(g.kinds))
		for k := range tilt {
			tilt[k] = math.Exp(0.35*g.rng.NormFloat64() - 0.06)
		}
		g.ds.Schools[i].tilt = tilt
	}
}

// pick draws one of a list.
func pick[T any](g *generator, list []T) T { return list[g.rng.IntN(len(list))] }

var firstNames = []string{
	"Agnès", "Alain", "Alice", "Amandine", "André", "Anne", "Antoine", "Arnaud", "Audrey", "Aurélie", "Baptiste", "Béatrice", "Benoît", "Bernard", "Brigitte", "Camille",
	"Caroline", "Catherine", "Cécile", "Céline", "Charlotte", "Christelle", "Christian", "Christine", "Christophe", "Claire", "Clément", "Corinne", "Damien", "Daniel", "David", "Delphine",
	"Denis", "Didier", "Élise", "Élodie", "Emmanuel", "Éric", "Estelle", "Fabien", "Fabrice", "Fatima", "Florence", "Florian", "Franck", "François", "Françoise", "Frédéric",
	"Gaëlle", "Géraldine", "Gilles", "Grégory", "Guillaume", "Hélène", "Hervé", "Inès", "Isabelle", "Jacques", "Jean", "Jérôme", "Joëlle", "Julie", "Julien", "Karim",
	"Karine", "Laetitia", "Laure", "Laurence", "Laurent", "Leïla", "Lionel", "Loïc", "Luc", "Lucie", "Ludovic", "Magali", "Malik", "Manon", "Marc", "Marie",
	"Marion", "Martine", "Mathieu", "Maxime", "Mélanie", "Michel", "Mickaël", "Muriel", "Myriam", "Nadia", "Nathalie", "Nicolas", "Noémie", "Odile", "Olivier", "Pascal",
	"Patricia", "Patrick", "Paul", "Philippe", "Pierre", "Quentin", "Raphaël", "Régis", "Romain", "Sabrina", "Samuel", "Sandrine", "Sébastien", "Serge", "Séverine", "Sophie",
	"Stéphane", "Stéphanie", "Sylvie", "Thierry", "Thomas", "Valérie", "Vanessa", "Véronique", "Vincent", "Virginie", "Xavier", "Yann", "Yves", "Zoé",
}

var lastNames = []string{
	"André", "Arnaud", "Aubert", "Aubry", "Bailly", "Barbier", "Baron", "Barre", "Benard", "Benoit", "Berger", "Bernard", "Bertin", "Bertrand", "Besson", "Blanc",
	"Blanchard", "Bonnet", "Bouchet", "Boulanger", "Bourgeois", "Bouvier", "Boyer", "Breton", "Brun", "Brunet", "Caron", "Carpentier", "Charles", "Charpentier", "Chevalier", "Chevallier",
	"Clément", "Colin", "Collet", "Cordier", "Cousin", "Da Silva", "David", "Delattre", "Deschamps", "Diallo", "Dubois", "Dufour", "Dumas", "Dumont", "Dupont", "Dupuis",
	"Durand", "Duval", "Étienne", "Fabre", "Faure", "Fernandez", "Fleury", "Fontaine", "Fournier", "François", "Gaillard", "Garcia", "Garnier", "Gauthier", "Gautier", "Gérard",
	"Germain", "Giraud", "Girard", "Gomez", "Gonzalez", "Guérin", "Guillaume", "Guillot", "Guyot", "Hamon", "Haddad", "Henry", "Hubert", "Humbert", "Jacquet", "Jean",
	"Joly", "Julien", "Klein", "Lacroix", "Lambert", "Langlois", "Laurent", "Le Gall", "Le Roux", "Leblanc", "Leclerc", "Leclercq", "Lecomte", "Lefebvre", "Lefèvre", "Léger",
	"Lemaire", "Lemoine", "Leroy", "Lévêque", "Lopez", "Louis", "Lucas", "Maillard", "Marchal", "Marchand", "Marie", "Martin", "Martinez", "Marty", "Masson", "Mathieu",
	"Ménard", "Mercier", "Meunier", "Meyer", "Michaud", "Michel", "Millet", "Moreau", "Morel", "Morin", "Moulin", "Muller", "Nguyen", "Nicolas", "Noël", "Olivier",
	"Paris", "Pasquier", "Payet", "Pelletier", "Perez", "Perret", "Perrin", "Perrot", "Petit", "Philippe", "Picard", "Pierre", "Poirier", "Pons", "Prévost", "Rault",
	"Rémy", "Renard", "Renaud", "Rey", "Reynaud", "Richard", "Rivière", "Robert", "Robin", "Roche", "Rodriguez", "Roger", "Rolland", "Rousseau", "Roussel", "Roux",
	"Roy", "Royer", "Sanchez", "Schmitt", "Simon", "Tessier", "Thomas", "Traoré", "Vasseur", "Vidal", "Vincent", "Weber",
}
