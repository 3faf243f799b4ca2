package demo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"statincidents/internal/attachment"
	"statincidents/internal/auth"
	"statincidents/internal/directory"
	"statincidents/internal/incident"
	"statincidents/internal/stock"
)

// part is an item of the demonstration's stock, with the words of the
// incidents on which it is used.
type part struct {
	stock.Item

	words []string
	late  bool // its last order has not come: it is short
}

var parts = []part{
	{Item: stock.Item{Reference: "E24-FHD", Name: "Écran 24 pouces", Kind: "Écrans", Price: 11990, Supplier: "UGAP", Minimum: 8, Wanted: 20}, words: []string{"écran"}, late: true},
	{Item: stock.Item{Reference: "SOU-USB", Name: "Souris filaire USB", Kind: "Souris et claviers", Price: 690, Supplier: "UGAP", Minimum: 20, Wanted: 60}, words: []string{"souris"}},
	{Item: stock.Item{Reference: "CLA-FR", Name: "Clavier filaire AZERTY", Kind: "Souris et claviers", Price: 1150, Supplier: "UGAP", Minimum: 15, Wanted: 40}, words: []string{"clavier", "touche"}},
	{Item: stock.Item{Reference: "HDMI-5", Name: "Câble HDMI 5 m", Kind: "Câbles", Price: 1420, Supplier: "Matériel.net Pro", Minimum: 10, Wanted: 30, Note: "Pour les vidéoprojecteurs : 5 m suffisent sous le plafond."}, words: []string{"vidéoprojecteur", "projecteur", "hdmi"}, late: true},
	{Item: stock.Item{Reference: "RJ45-3", Name: "Cordon RJ45 cat. 6, 3 m", Kind: "Câbles", Price: 390, Minimum: 20, Wanted: 80}, words: []string{"réseau", "câble", "prise"}},
	{Item: stock.Item{Reference: "RAM-8-D4", Name: "Barrette mémoire 8 Go DDR4", Kind: "Composants", Price: 2490, Minimum: 6, Wanted: 16}, words: []string{"lent", "mémoire"}},
	{Item: stock.Item{Reference: "SSD-256", Name: "Disque SSD 256 Go", Kind: "Composants", Price: 3290, Minimum: 5, Wanted: 12}, words: []string{"disque", "démarre"}},
	{Item: stock.Item{Reference: "TON-KPC", Name: "Toner noir KPC", Kind: "Consommables", Price: 5480, Supplier: "Titulaire du marché copieurs", Minimum: 6, Wanted: 18, Unit: "cartouche"}, words: []string{"toner", "encre", "imprim", "copieur"}},
	{Item: stock.Item{Reference: "LAMP-VP", Name: "Lampe de vidéoprojecteur", Kind: "Composants", Price: 8900, Minimum: 3, Wanted: 6}, words: []string{"lampe"}, late: true},
	{Item: stock.Item{Reference: "ALIM-65", Name: "Chargeur de portable 65 W", Kind: "Composants", Price: 2990, Minimum: 4, Wanted: 10}, words: []string{"chargeur", "batterie"}},
	{Item: stock.Item{Reference: "CASQ-35", Name: "Casque audio", Kind: "Audio", Price: 890, Minimum: 0, Wanted: 30, Unit: "pièce"}, words: []string{"casque", "son"}},
}

// stockSpan is how far back the demonstration's ledger goes.
const stockSpan = 12 * 30 * 24 * time.Hour

// LoadStock fills the stock: items, a depot and cars, a year of orders and of
// parts used on the incidents that call for them. What is there is left alone.
func LoadStock(ctx context.Context, tenant int64, s *stock.Service, dir *directory.Service, incidents *incident.Service, ds *Dataset) error {
	by := auth.System(tenant)
	there, err := s.Stock(ctx, by)
	if err != nil || len(there.Items) > 0 {
		return err
	}
	places, err := stockPlaces(ctx, by, s, dir)
	if err != nil {
		return err
	}
	kept := slices.Clone(parts)
	for k := range kept {
		if kept[k].Item, err = s.SaveItem(ctx, by, kept[k].Item); err != nil {
			return fmt.Errorf("demo: stock: %w", err)
		}
	}
	l := &ledger{s: s, by: by, depot: places[0], cars: places[1:], rng: rand.New(rand.NewPCG(ds.Seed, 7)), levels: map[[2]int64]int64{}}
	begun := ds.Now.Add(-stockSpan)
	for _, p := range kept {
		l.receive(p, max(p.Wanted, p.Minimum), begun)
	}
	solved, err := lastSolved(ctx, tenant, incidents, begun)
	if err != nil {
		return err
	}
	for _, i := range solved {
		if k := partFor(kept, i.Title); k >= 0 && l.rng.IntN(4) == 0 {
			l.use(kept[k], i, ds.Now)
		}
	}
	for lines := range slices.Chunk(l.orders, 200) {
		if _, err := s.Book(ctx, by, lines...); err != nil {
			return fmt.Errorf("demo: stock: %w", err)
		}
	}
	return nil
}

func stockPlaces(ctx context.Context, by auth.Identity, s *stock.Service, dir *directory.Service) ([]int64, error) {
	index, err := dir.Index(ctx, by.Tenant)
	if err != nil {
		return nil, err
	}
	list := []stock.Place{{Name: "Dépôt de l'unité Collèges", Kind: stock.Depot}}
	cast, _ := CastOf(index) // the account's technician has a car
	drivers := append([]directory.Person{cast.Technician}, slices.DeleteFunc(slices.Clone(index.Technicians()), func(p directory.Person) bool { return p.ID == cast.Technician.ID })...)
	for _, p := range drivers[:min(4, len(drivers))] {
		list = append(list, stock.Place{Name: "Voiture · " + p.Name, Kind: stock.Car, Person: p.ID})
	}
	var ids []int64
	for _, p := range list {
		made, err := s.SavePlace(ctx, by, p)
		if err != nil {
			return nil, fmt.Errorf("demo: stock: %w", err)
		}
		ids = append(ids, made.ID)
	}
	return ids, nil
}

// lastSolved are the incidents solved since an instant, in that order.
func lastSolved(ctx context.Context, tenant int64, incidents *incident.Service, since time.Time) ([]incident.Incident, error) {
	all, err := everyIncident(ctx, tenant, incidents, func(i incident.Incident) bool { return i.ResolvedAt.After(since) })
	slices.SortFunc(all, func(a, b incident.Incident) int { return a.ResolvedAt.Compare(b.ResolvedAt) })
	return all, err
}

// lastOpen are the incidents that are open, the youngest last.
func lastOpen(ctx context.Context, tenant int64, incidents *incident.Service) ([]incident.Incident, error) {
	all, err := everyIncident(ctx, tenant, incidents, func(i incident.Incident) bool { return i.State.Open() })
	slices.SortFunc(all, func(a, b incident.Incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return all, err
}

// everyIncident reads the incidents by their numbers and keeps some.
func everyIncident(ctx context.Context, tenant int64, incidents *incident.Service, keep func(incident.Incident) bool) ([]incident.Incident, error) {
	var kept []incident.Incident
	for first := int64(1); ; first += batchSize {
		ids := make([]int64, batchSize)
		for k := range ids {
			ids[k] = first + int64(k)
		}
		found, err := incidents.Many(ctx, auth.ScopeAll(tenant), ids)
		if err != nil || len(found) == 0 {
			return kept, err
		}
		for _, i := range found {
			if keep(i) {
				kept = append(kept, i)
			}
		}
	}
}

func partFor(kept []part, title string) int {
	lower := strings.ToLower(title)
	return slices.IndexFunc(kept, func(p part) bool {
		return slices.ContainsFunc(p.words, func(w string) bool { return strings.Contains(lower, w) })
	})
}

// ledger prepares movements in the order of time, with the levels that they
// leave, so that none is refused.
type ledger struct {
	s      *stock.Service
	by     auth.Identity
	depot  int64
	cars   []int64
	rng    *rand.Rand
	levels map[[2]int64]int64
	orders []stock.Order
	number int
}

func (l *ledger) book(o stock.Order) {
	l.levels[[2]int64{o.Item, o.From}] -= o.Quantity
	l.levels[[2]int64{o.Item, o.To}] += o.Quantity
	l.orders = append(l.orders, o)
}

func (l *ledger) receive(p part, n int64, at time.Time) {
	l.number++
	l.book(stock.Order{Kind: stock.Receive, Item: p.ID, To: l.depot, Quantity: n, Price: p.Price * int64(97+l.rng.IntN(7)) / 100, At: at, Reason: fmt.Sprintf("Bon de livraison %d-%03d", at.Year(), l.number)})
}

// use takes a part from a car, which is filled from the depot, which is filled
// by an order: all but the last of what is late.
func (l *ledger) use(p part, i incident.Incident, now time.Time) {
	at := i.ResolvedAt
	from := l.depot
	if len(l.cars) > 0 && l.rng.IntN(3) > 0 {
		from = l.cars[l.rng.IntN(len(l.cars))]
	}
	held := func(place int64) int64 { return l.levels[[2]int64{p.ID, place}] }
	if held(l.depot) < p.Minimum && (!p.late || now.Sub(at) > 100*24*time.Hour) {
		l.receive(p, p.Wanted-held(l.depot), at.Add(-time.Hour))
	}
	if from != l.depot && held(from) == 0 {
		n := min(4, held(l.depot)-1)
		if n < 1 {
			return
		}
		l.book(stock.Order{Kind: stock.Move, Item: p.ID, From: l.depot, To: from, Quantity: n, At: at.Add(-30 * time.Minute), Reason: "Tournée"})
	}
	if held(from) < 1 {
		return
	}
	l.book(stock.Order{Kind: stock.Use, Item: p.ID, From: from, Quantity: 1, Incident: i.ID, At: at})
}

// photos is how many incidents get one.
const photos = 6

// LoadPhotos joins a photo to some of the last incidents that are open. What
// is there is left alone.
func LoadPhotos(ctx context.Context, tenant int64, files *attachment.Service, incidents *incident.Service) error {
	by := auth.System(tenant)
	if u, err := files.Usage(ctx, by); err != nil || u.Files > 0 {
		return err
	}
	open, err := lastOpen(ctx, tenant, incidents)
	if err != nil {
		return err
	}
	for k, i := range open[max(0, len(open)-photos):] {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, photo(k), nil); err != nil {
			return fmt.Errorf("demo: photo: %w", err)
		}
		a, err := files.Put(ctx, by, fmt.Sprintf("photo-%d.jpg", k+1), &b)
		if err == nil {
			err = files.Attach(ctx, by, i.ID, []int64{a.ID}, false)
		}
		if err != nil {
			return fmt.Errorf("demo: photo: %w", err)
		}
	}
	return nil
}

// photo draws a dark screen with its lines, as somebody photographs it.
func photo(k int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 1200, 900))
	for y := range 900 {
		for x := range 1200 {
			c := color.RGBA{196, 188, 172, 255}
			if x > 150 && x < 1050 && y > 120 && y < 700 {
				v := uint8(20 + (x*7+y*3+k*40)%18)
				c = color.RGBA{v, v, v + 8, 255}
				if (y+k*60)%140 < 6 {
					c = color.RGBA{90, 160, 190, 255}
				}
			}
			if x > 520 && x < 680 && y >= 700 && y < 800 {
				c = color.RGBA{60, 60, 62, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}
