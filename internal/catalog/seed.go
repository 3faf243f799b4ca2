package catalog

import (
	"context"

	"statincidents/internal/auth"
)

// Seed gives a new département words to begin with: a tree of categories of
// school IT, causes, resolution codes and waiting reasons, in French with
// their English. What is already there is left as it is, so that seeding twice
// changes nothing.
func (s *Service) Seed(ctx context.Context, by auth.Identity) error {
	if _, err := s.ensureCategories(ctx, by, defaultPaths()); err != nil {
		return err
	}
	var all []Code
	for _, c := range defaultCodes {
		all = append(all, Code{Kind: c.kind, Label: c.fr, LabelEN: c.en, Runs: c.fr == ownDecision})
	}
	if _, err := s.ensureCodes(ctx, by, all); err != nil {
		return err
	}
	return s.seedTiles(ctx, by)
}

// SeedMissing is Seed for a département that already has words of its own, from
// an import: a tree, or a kind of code, is given only where there is none.
func (s *Service) SeedMissing(ctx context.Context, by auth.Identity) error {
	have, err := s.Index(ctx, by.Tenant)
	if err != nil {
		return err
	}
	if len(have.Categories()) == 0 {
		if _, err := s.ensureCategories(ctx, by, defaultPaths()); err != nil {
			return err
		}
	}
	if err := s.seedTiles(ctx, by); err != nil {
		return err
	}
	var missing []Code
	for _, c := range defaultCodes {
		if len(have.Codes(c.kind)) == 0 {
			missing = append(missing, Code{Kind: c.kind, Label: c.fr, LabelEN: c.en, Runs: c.fr == ownDecision})
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = s.ensureCodes(ctx, by, missing)
	return err
}

// node is a category of the default tree with what stands under it.
type node struct {
	fr, en string
	icon   string
	below  []node
}

// paths lists the node's own path, then those below it.
func (n node) paths(above []Category) [][]Category {
	own := append(append([]Category{}, above...), Category{Label: n.fr, LabelEN: n.en, Icon: n.icon})
	all := [][]Category{own}
	for _, b := range n.below {
		all = append(all, b.paths(own)...)
	}
	return all
}

func defaultPaths() [][]Category {
	var paths [][]Category
	for _, top := range defaultTree {
		paths = append(paths, top.paths(nil)...)
	}
	return paths
}

// defaultTree is ordered as a declarant meets it: the most frequent first.
var defaultTree = []node{
	{"Ordinateur", "Computer", "monitor", []node{
		{"Ne démarre pas", "Does not start", "power", []node{
			{"Écran noir", "Black screen", "", nil},
			{"Erreur au démarrage", "Boot error", "", nil},
		}},
		{"Lenteur", "Slowness", "gauge", nil},
		{"Se bloque ou redémarre seul", "Freezes or restarts by itself", "rotate-cw", nil},
		{"Écran", "Screen", "monitor-off", nil},
		{"Disque ou espace plein", "Disk or space full", "hard-drive", nil},
		{"Mise à jour Windows", "Windows update", "refresh-cw", nil},
		{"Bruit, chaleur ou choc", "Noise, heat or damage", "fan", nil},
	}},
	{"Vidéoprojecteur ou écran interactif", "Projector or interactive screen", "projector", []node{
		{"Pas d'image", "No picture", "image-off", []node{
			{"Câble ou prise", "Cable or plug", "", nil},
			{"Lampe", "Lamp", "", nil},
			{"Source non reconnue", "Source not recognised", "", nil},
		}},
		{"Image floue ou de mauvaise couleur", "Blurred picture or wrong colours", "image", nil},
		{"Stylet ou tactile", "Pen or touch", "pen-tool", nil},
		{"Son", "Sound", "volume-x", nil},
		{"Télécommande", "Remote control", "", nil},
	}},
	{"Impression et copieur", "Printing and copier", "printer", []node{
		{"N'imprime pas", "Does not print", "file-x", nil},
		{"Bourrage papier", "Paper jam", "files", nil},
		{"Qualité d'impression", "Print quality", "droplet", nil},
		{"Consommable (toner, tambour)", "Supplies (toner, drum)", "package", nil},
		{"Numérisation vers courriel ou dossier", "Scan to e-mail or folder", "scan", nil},
		{"Code ou quota", "Code or quota", "hash", nil},
	}},
	{"Réseau et Wi-Fi", "Network and Wi-Fi", "wifi", []node{
		{"Pas d'accès à Internet", "No Internet access", "globe", []node{
			{"Tout le collège", "Whole school", "", nil},
			{"Une salle", "One room", "", nil},
			{"Un poste", "One computer", "", nil},
		}},
		{"Wi-Fi faible ou absent", "Weak or no Wi-Fi", "wifi-off", nil},
		{"Prise réseau ou câble", "Network socket or cable", "cable", nil},
		{"Lecteurs réseau et partages", "Network drives and shares", "folder-x", nil},
		{"Filtrage d'un site", "Filtered website", "filter", nil},
	}},
	{"Comptes et mots de passe", "Accounts and passwords", "key-round", []node{
		{"Mot de passe oublié ou expiré", "Forgotten or expired password", "lock", nil},
		{"Compte à créer ou à fermer", "Account to open or close", "user-plus", nil},
		{"Compte verrouillé", "Locked account", "user-x", nil},
		{"Droits d'accès", "Access rights", "shield-check", nil},
	}},
	{"Logiciels", "Software", "app-window", []node{
		{"Pronote", "Pronote", "", []node{
			{"Connexion", "Sign-in", "", nil},
			{"Mise à jour du client", "Client update", "", nil},
		}},
		{"OnlyOffice", "OnlyOffice", "", nil},
		{"LibreOffice", "LibreOffice", "", nil},
		{"Thunderbird", "Thunderbird", "", nil},
		{"mBlock et robotique", "mBlock and robotics", "", nil},
		{"GeoGebra et Scratch", "GeoGebra and Scratch", "", nil},
		{"Navigateur", "Browser", "", nil},
		{"Logiciel de gestion", "Administrative software", "", nil},
		{"Installation demandée", "Installation requested", "download", nil},
	}},
	{"ENT", "Digital workspace (ENT)", "school", []node{
		{"Connexion", "Sign-in", "log-in", nil},
		{"Service indisponible", "Service down", "server-off", nil},
		{"Messagerie de l'ENT", "ENT mail", "mail", nil},
		{"Manuels numériques", "Digital textbooks", "book-open", nil},
	}},
	{"Tablettes et classes mobiles", "Tablets and mobile classes", "tablet", []node{
		{"Ne charge plus", "No longer charges", "battery-warning", nil},
		{"Écran cassé", "Broken screen", "", nil},
		{"Application manquante", "Missing application", "", nil},
		{"Chariot ou valise", "Trolley or case", "briefcase", nil},
	}},
	{"Périphériques", "Peripherals", "mouse", []node{
		{"Clavier ou souris", "Keyboard or mouse", "keyboard", nil},
		{"Casque, micro ou webcam", "Headset, microphone or webcam", "headphones", nil},
		{"Clé USB ou disque externe", "USB stick or external disk", "usb", nil},
		{"Scanner de documents", "Document scanner", "scan-line", nil},
		{"Visualiseur", "Document camera", "camera", nil},
	}},
	{"Téléphonie", "Telephony", "phone", []node{
		{"Poste téléphonique", "Desk phone", "phone-off", nil},
		{"Ligne du collège", "School line", "phone-missed", nil},
		{"Téléphone mobile", "Mobile phone", "smartphone", nil},
	}},
	{"Serveur et baie", "Server and rack", "server", []node{
		{"Serveur du collège", "School server", "server-crash", nil},
		{"Commutateur", "Switch", "network", nil},
		{"Onduleur", "UPS", "battery-charging", nil},
		{"Sauvegarde", "Backup", "archive", nil},
		{"Climatisation du local", "Room cooling", "thermometer", nil},
	}},
	{"Sécurité", "Security", "shield-alert", []node{
		{"Message suspect", "Suspicious message", "mail-warning", nil},
		{"Virus ou alerte antivirus", "Virus or antivirus alert", "bug", nil},
		{"Vol ou perte", "Theft or loss", "siren", nil},
		{"Données perdues", "Lost data", "file-warning", nil},
	}},
	{"Autre", "Other", "ellipsis", nil},
}

// ownDecision is the one default reason that does not stop the clocks.
const ownDecision = "Décision du service"

var defaultCodes = []struct {
	kind   CodeKind
	fr, en string
}{
	{Cause, "Usure ou fin de vie", "Wear or end of life"},
	{Cause, "Défaut du matériel", "Hardware fault"},
	{Cause, "Défaut du logiciel", "Software fault"},
	{Cause, "Mise à jour", "Update"},
	{Cause, "Configuration", "Configuration"},
	{Cause, "Câblage ou branchement", "Cabling or connection"},
	{Cause, "Réseau de l'opérateur", "Carrier's network"},
	{Cause, "Alimentation électrique", "Power supply"},
	{Cause, "Manipulation", "Handling"},
	{Cause, "Choc ou dégradation", "Damage or vandalism"},
	{Cause, "Consommable épuisé", "Supplies used up"},
	{Cause, "Compte ou droits", "Account or rights"},
	{Cause, "Service d'un tiers", "Third party's service"},
	{Cause, "Cause inconnue", "Unknown cause"},

	{Resolution, "Remplacement du matériel", "Hardware replaced"},
	{Resolution, "Remplacement d'une pièce", "Part replaced"},
	{Resolution, "Réparation sur place", "Repaired on site"},
	{Resolution, "Rebranchement", "Reconnected"},
	{Resolution, "Redémarrage", "Restarted"},
	{Resolution, "Reconfiguration", "Reconfigured"},
	{Resolution, "Réinstallation", "Reinstalled"},
	{Resolution, "Mise à jour appliquée", "Update applied"},
	{Resolution, "Retour à la version précédente", "Rolled back"},
	{Resolution, "Réinitialisation du mot de passe", "Password reset"},
	{Resolution, "Droits accordés", "Rights granted"},
	{Resolution, "Intervention d'un prestataire", "Done by a contractor"},
	{Resolution, "Explication à l'utilisateur", "Explained to the user"},
	{Resolution, "Résolu sans action", "Solved without action"},
	{Resolution, "Non reproduit", "Not reproduced"},

	{Waiting, "Réponse du déclarant", "Declarant's answer"},
	{Waiting, "Pièce ou matériel commandé", "Part or hardware ordered"},
	{Waiting, "Prestataire ou garantie", "Contractor or warranty"},
	{Waiting, "Accès à la salle", "Access to the room"},
	{Waiting, "Vacances scolaires", "School holidays"},
	{Waiting, ownDecision, "Decision of the unit"},
	{Waiting, "Rectorat", "Education authority"},
}
