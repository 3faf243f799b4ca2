package similar

import (
	"strings"

	"statincidents/internal/catalog"
	"statincidents/internal/search"
)

// seedWeight is how many times over a category's own words are counted: they
// speak alone at the beginning and fade behind what people really write.
const seedWeight = 2

// seedText gives the words by which a category can be known before any
// incident of it was resolved: its labels from the top, in both languages, and
// what people say for them.
func seedText(index *catalog.Index, id int64) []string {
	var texts []string
	for _, language := range []string{"fr", "en"} {
		texts = append(texts, index.PathLabels(id, language)...)
		texts = append(texts, index.CategoryLabel(id, language)) // its own words count twice
	}
	seen := map[string]bool{}
	for _, label := range index.PathLabels(id, "fr") {
		search.EachWord(label, func(w string) {
			stem := search.Stem(w)
			if search.Says(w) && !seen[stem] {
				seen[stem] = true
				if words, ok := synonyms[stem]; ok {
					texts = append(texts, words)
				}
			}
		})
	}
	return texts
}

// synonyms gives, by the stem of a word of a label, what people say who mean it.
var synonyms = func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(sayings) {
		word, words, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		search.EachWord(word, func(w string) { m[search.Stem(w)] = words })
	}
	return m
}()

// sayings are the words of teachers and secretaries, written for this program.
const sayings = `
ordinateur: pc poste machine tour unité centrale portable fixe
démarre: allume allumer démarrer boot boote mort éteint bouton
démarrage: allume boot bios logo constructeur réparation automatique boucle
écran: moniteur affichage affiche image
noir: éteint rien affiche
lenteur: lent lente rame ralenti ralentit interminable minutes attendre long
bloque: fige gelé plante freeze redémarre bleu
disque: stockage saturé mémoire place espace plein
jour: mise update windows redémarrage installation
bruit: ventilateur souffle surchauffe chauffe tombé cassé choqué
vidéoprojecteur: projecteur vidéo vp tbi tni tableau interactif vpi projection rétroprojecteur
image: affiche projette projeter écran signal bleu
câble: branchement hdmi vga prise fil cordon débranché
lampe: ampoule remplacer voyant rouge heures
source: entrée signal aucun détecté reconnu
floue: flou netteté couleur jaune rose vert déformée trapèze
stylet: tactile calibrage décalé crayon doigt
son: enceinte hauts-parleurs audio entend muet volume sonore
télécommande: piles zapette
impression: imprimante imprimer imprime copieur photocopieuse photocopieur tirage copies
imprime: file attente spouleur sort documents bloqués hors ligne
bourrage: papier coincé froissé bac rouleau
qualité: traces pâle rayures taches bandes délavé
consommable: toner cartouche encre tambour vide remplacer
numérisation: scan scanner scans numériser mail
quota: code badge identifiant refusé
réseau: connexion connecté internet web câble rj45
internet: web navigation site page connexion accès coupure fibre

fi: wifi borne signal hotspot sans fil réseau
prise: murale rj45 câble arraché
lecteurs: lecteur partage dossier partagé commun serveur perso
filtrage: bloqué filtré interdit accès refusé site
comptes: compte identifiant session utilisateur login
mot: passe password mdp identifiants oublié
passe: mot mdp password expiré réinitialiser changer oublié
compte: nouveau créer professeur remplaçant arrivée départ utilisateur
verrouillé: bloqué tentatives session refusée
droits: accès autorisation permission refusé dossier
logiciels: logiciel programme application appli installer ouvre
pronote: notes appel bulletins index éducation
connexion: connecter identifiant accès erreur identification
onlyoffice: document tableur traitement texte
libreoffice: writer calc odt tableur document
thunderbird: mail courriel messagerie courrier
mblock: robot arduino carte programmation mbot
geogebra: scratch géométrie mathématiques
navigateur: firefox chrome edge onglet page
gestion: gfc op@le siecle intendance comptabilité
installation: installer ajouter besoin logiciel
ent: espace numérique travail portail établissement
indisponible: panne inaccessible erreur hors service
messagerie: mail courriel message envoyer recevoir
manuels: manuel livre numérique biblio éditeur
tablettes: tablette ipad android classe mobile
charge: batterie chargeur chargement alimentation
cassé: fissuré brisé fêlé vitre tombé
application: appli app installer manque
chariot: valise classe mobile caisson roulettes
périphériques: accessoire usb
clavier: souris touche touches clic pavé molette
casque: micro webcam caméra écouteurs visio
clé: usb disque externe reconnue lire
visualiseur: caméra document docucam
téléphonie: téléphone appel tonalité
téléphonique: combiné téléphone tonalité poste
ligne: appels standard entrants opérateur
serveur: baie local technique
commutateur: switch baie ports
onduleur: bip alarme batterie coupure courant
sauvegarde: bandes restauration échec
climatisation: chaleur température chaud local
sécurité: attaque piratage piraté
suspect: phishing hameçonnage arnaque spam frauduleux message mail
virus: antivirus alerte infecté malveillant rançon
vol: volé perdu disparu disparition
données: fichiers supprimé effacé perdu restaurer récupérer
`
