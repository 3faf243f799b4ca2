package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"statincidents/internal/auth"
	"statincidents/internal/fault"
	"statincidents/internal/journal"
	"statincidents/internal/sqldb"
)

// Tile is what the declaration portal says of a category: a picture with a
// plain word, where a declarant does not have to know the tree, and what they
// can do while they wait.
type Tile struct {
	Category int64  `json:"category"`
	Shown    bool   `json:"shown,omitempty"`    // stands on the portal
	Position int    `json:"position,omitempty"` // order on the portal
	Icon     string `json:"icon,omitempty"`     // the category's own if empty
	Label    string `json:"label,omitempty"`    // a plain word: "Imprimante"; the category's own if empty
	LabelEN  string `json:"label_en,omitempty"`
	Advice   string `json:"advice,omitempty"` // what to do meanwhile; the parent's if empty
	AdviceEN string `json:"advice_en,omitempty"`
}

// In is the plain word in a language ("fr", "en").
func (t Tile) In(language string) string { return in(language, t.Label, t.LabelEN) }

// AdviceIn is the advice in a language ("fr", "en").
func (t Tile) AdviceIn(language string) string { return in(language, t.Advice, t.AdviceEN) }

// Limits of what is written on the portal, in characters.
const (
	MaxTileLabel = 60
	MaxAdvice    = 1000
	MaxTiles     = 24 // pictures on the portal: more is a tree again
)

// SubjectTile is the journal's subject kind of a tile, identified by its
// category.
const SubjectTile = "portal_tile"

func (t Tile) saved() change {
	return change{journal.Subject{Kind: SubjectTile, ID: t.Category}, t}
}

// Tiles lists what stands on the portal, in order, each with its word and icon
// filled from its category where it has none of its own. A département that
// chose nothing shows its top categories.
func (x *Index) Tiles() []Tile {
	var shown []Tile
	for id := range x.tile {
		if c := x.category[id]; c.ID != 0 && !c.Archived && x.tile[id].Shown {
			shown = append(shown, x.Tile(id))
		}
	}
	if len(shown) == 0 {
		for _, c := range x.children[0] {
			if !c.Archived {
				t := x.Tile(c.ID)
				t.Position = c.Position
				shown = append(shown, t)
			}
		}
	}
	inOrder(shown, func(t Tile) (int, string) { return t.Position, t.Label })
	return shown
}

// Tile is what the portal says of a category, filled like those of Tiles.
func (x *Index) Tile(category int64) Tile {
	t, c := x.tile[category], x.category[category]
	t.Category = category
	if t.Label == "" {
		t.Label, t.LabelEN = c.Label, c.LabelEN
	}
	if t.Icon == "" {
		t.Icon = c.Icon
	}
	return t
}

// OwnTile is what was written for a category, nothing filled; zero if nothing was.
func (x *Index) OwnTile(category int64) Tile { return x.tile[category] }

// TileOver is the tile that a category stands under on the portal: its own, or
// that of the nearest category above it; 0 if none is shown.
func (x *Index) TileOver(category int64) int64 {
	path := x.Path(category)
	for _, id := range slices.Backward(path) {
		if x.tile[id].Shown {
			return id
		}
	}
	if len(path) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(x.tile)), func(t Tile) bool { return t.Shown }) {
		return path[0]
	}
	return 0
}

// Advice is what to do while an incident of a category waits: its own, or that
// of the nearest category above it that says something.
func (x *Index) Advice(category int64, language string) string {
	for _, id := range slices.Backward(x.Path(category)) {
		if said := x.tile[id].AdviceIn(language); said != "" {
			return said
		}
	}
	return ""
}

// SaveTile changes what the portal says of a category.
func (s *Service) SaveTile(ctx context.Context, by auth.Identity, in Tile) (Tile, error) {
	in.Label, in.LabelEN, in.Icon = clean(in.Label), clean(in.LabelEN), clean(in.Icon)
	in.Advice, in.AdviceEN = strings.TrimSpace(in.Advice), strings.TrimSpace(in.AdviceEN)
	var fields fault.Fields
	for _, f := range []struct {
		name, text string
		limit      int
	}{{"label", in.Label, MaxTileLabel}, {"label_en", in.LabelEN, MaxTileLabel}, {"icon", in.Icon, 60}, {"advice", in.Advice, MaxAdvice}, {"advice_en", in.AdviceEN, MaxAdvice}} {
		if len([]rune(f.text)) > f.limit {
			fields.Add(f.name, "error.field.too_long", "max", f.limit)
		}
	}
	if err := fields.Err(); err != nil {
		return Tile{}, err
	}
	err := s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		stored, err := categories(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		if find(stored, in.Category).ID == 0 {
			return nil, fault.New(fault.NotFound, "error.catalog.category_not_found")
		}
		all, err := tiles(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		last, shown := 0, 0
		was := all[in.Category]
		for _, t := range all {
			last = max(last, t.Position)
			if t.Shown && t.Category != in.Category {
				shown++
			}
		}
		if in.Shown && !was.Shown && shown >= MaxTiles {
			return nil, fault.InvalidField("shown", "error.catalog.too_many_tiles", "limit", MaxTiles)
		}
		if in.Position = was.Position; in.Position == 0 || in.Shown && !was.Shown {
			in.Position = last + 1
		}
		if in == was {
			return nil, nil
		}
		return []change{in.saved()}, nil
	})
	return in, err
}

// MoveTile moves a tile on the portal by some steps, towards the front if
// negative; at an end it stays there. It tells whether anything moved.
func (s *Service) MoveTile(ctx context.Context, by auth.Identity, category int64, steps int) (moved bool, err error) {
	err = s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		all, err := tiles(ctx, tx, by.Tenant)
		if err != nil {
			return nil, err
		}
		var list []Tile
		for _, t := range all {
			if t.Shown {
				list = append(list, t)
			}
		}
		inOrder(list, func(t Tile) (int, string) { return t.Position, t.Label })
		if !slices.ContainsFunc(list, func(t Tile) bool { return t.Category == category }) {
			return nil, fault.New(fault.NotFound, "error.catalog.category_not_found")
		}
		var changes []change
		moved = shift(list, func(t Tile) bool { return t.Category == category }, steps)
		for i, t := range list {
			if moved && t.Position != i+1 {
				t.Position = i + 1
				changes = append(changes, t.saved())
			}
		}
		return changes, nil
	})
	return moved, err
}

func tiles(ctx context.Context, tx *sqldb.Tx, tenant int64) (map[int64]Tile, error) {
	all := map[int64]Tile{}
	err := each(ctx, tx, `SELECT category_id, shown, position, icon, label, label_en, advice, advice_en FROM portal_tile WHERE tenant_id = $1`, tenant, func(scan func(...any) error) error {
		var t Tile
		var shown int64
		err := scan(&t.Category, &shown, &t.Position, &t.Icon, &t.Label, &t.LabelEN, &t.Advice, &t.AdviceEN)
		t.Shown = shown == 1
		all[t.Category] = t
		return err
	})
	return all, err
}

// seedTiles gives the portal its first pictures, of those default categories
// that are there, when it has none.
func (s *Service) seedTiles(ctx context.Context, by auth.Identity) error {
	x, err := s.Index(ctx, by.Tenant)
	if err != nil || len(x.tile) > 0 {
		return err
	}
	return s.command(ctx, by, func(ctx context.Context, tx *sqldb.Tx) ([]change, error) {
		var changes []change
		for _, d := range defaultTiles {
			if c, ok := x.CategoryByPath(d.path...); ok && !c.Archived {
				t := d.Tile
				t.Category = c.ID
				if t.Shown {
					t.Position = len(changes) + 1
				}
				changes = append(changes, t.saved())
			}
		}
		return changes, nil
	})
}

// defaultTiles are the pictures of a new département, and its first advice.
var defaultTiles = []struct {
	path []string
	Tile
}{
	{[]string{"Ordinateur"}, Tile{
		Shown: true, Icon: "monitor", Label: "Ordinateur", LabelEN: "Computer",
		Advice:   "Vérifiez que l'écran et l'unité centrale sont branchés et allumés, puis redémarrez une fois. Si cela ne change rien, laissez l'appareil tel quel et prenez un autre poste.",
		AdviceEN: "Check that screen and computer are plugged in and switched on, then restart once. If nothing changes, leave it as it is and use another one.",
	}},
	{[]string{"Vidéoprojecteur ou écran interactif"}, Tile{
		Shown: true, Icon: "projector", Label: "Vidéoprojecteur", LabelEN: "Projector",
		Advice:   "Éteignez le vidéoprojecteur, attendez deux minutes qu'il refroidisse, rallumez-le et appuyez sur les touches Windows et P, puis « Dupliquer ». Ne le démontez pas.",
		AdviceEN: "Switch the projector off, let it cool for two minutes, switch it on again and press Windows and P, then “Duplicate”. Do not open it.",
	}},
	{[]string{"Impression et copieur"}, Tile{
		Shown: true, Icon: "printer", Label: "Imprimante, copieur", LabelEN: "Printer, copier",
		Advice:   "Imprimez sur un autre copieur du collège si c'est urgent. N'envoyez pas plusieurs fois le même document : tout sortirait d'un coup à la remise en service.",
		AdviceEN: "Use another copier of the school if it is urgent. Do not send the same document several times: all of them would come out at once later.",
	}},
	{[]string{"Réseau et Wi-Fi"}, Tile{
		Shown: true, Icon: "wifi", Label: "Internet, Wi-Fi", LabelEN: "Internet, Wi-Fi",
		Advice:   "Regardez si la salle voisine a Internet, et dites-le-nous : cela fait gagner du temps. Ne débranchez rien dans l'armoire informatique.",
		AdviceEN: "See whether the next room has Internet, and tell us: it saves time. Do not unplug anything in the network cabinet.",
	}},
	{[]string{"Comptes et mots de passe"}, Tile{
		Shown: true, Icon: "key-round", Label: "Mot de passe, compte", LabelEN: "Password, account",
		Advice:   "Attendez quinze minutes avant un nouvel essai : un compte se verrouille après plusieurs erreurs. Ne donnez votre mot de passe à personne, nous ne vous le demanderons jamais.",
		AdviceEN: "Wait fifteen minutes before trying again: an account locks after several errors. Give your password to nobody, we shall never ask for it.",
	}},
	{[]string{"Logiciels"}, Tile{
		Shown: true, Icon: "app-window", Label: "Logiciel", LabelEN: "Software",
		Advice:   "Enregistrez votre travail, fermez le logiciel et rouvrez-le. Notez le message affiché s'il y en a un.",
		AdviceEN: "Save your work, close the program and open it again. Note the message shown, if any.",
	}},
	{[]string{"Tablettes et classes mobiles"}, Tile{
		Shown: true, Icon: "tablet", Label: "Tablette", LabelEN: "Tablet",
		Advice:   "Mettez de côté les tablettes en panne, avec leur étiquette, et laissez le chariot branché et fermé.",
		AdviceEN: "Put the broken tablets aside, with their labels, and leave the trolley plugged in and closed.",
	}},
	{[]string{"Vidéoprojecteur ou écran interactif", "Son"}, Tile{
		Shown: true, Icon: "volume-2", Label: "Son", LabelEN: "Sound",
		Advice:   "Cliquez sur le haut-parleur en bas à droite de l'écran et choisissez la bonne sortie de son ; vérifiez que l'amplificateur est allumé.",
		AdviceEN: "Click the loudspeaker at the bottom right of the screen and choose the right output; check that the amplifier is on.",
	}},
	{[]string{"Autre"}, Tile{Shown: true, Icon: "circle-help", Label: "Autre chose", LabelEN: "Something else"}},
	{[]string{"Sécurité", "Message suspect"}, Tile{
		Advice:   "Ne cliquez sur aucun lien et n'ouvrez aucune pièce jointe. Si vous l'avez fait, débranchez le câble réseau de l'ordinateur sans l'éteindre et appelez-nous.",
		AdviceEN: "Click no link and open no attachment. If you did, unplug the computer's network cable without switching it off and call us.",
	}},
}
