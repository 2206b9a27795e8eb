"""Words that many films' texts have, in three groups, and what each group weighs in the vectors of hashing-v2.

The groups stand in for counts of words: an inverse document frequency that never changes, so that vectors made in
different years and catalogues agree. `catalog.word_weight` has the same words; a test compares them. Changing a word
changes the vectors, and needs a new name of the model.
"""

import re

# Of one film in ten or more.
EVERYWHERE = (
    "action adventure animation based comedy crime director documentary drama family fantasy fiction film find "
    "history horror life love man music mystery novel romance science story thriller war western woman world year "
    "young "
)
# Of one film in fifty or more.
COMMON = (
    "aftercreditsstinger against agent alien america american attack back base battle become begin big black boy "
    "brother car change child city come couple dark daughter david day dead death decide detective die discover dog "
    "duringcreditsstinger end england escape evil face fall fate father fight first follow force former friend "
    "friendship future game girl go great group help high home house human hunt husband independent jame john join "
    "keep kill killer king know last lead learn leave little live local london long lost make marriage meet michael "
    "mission money monster mother murder mysteriou named night old order parent party past paul people peter play "
    "police power real red relationship remake rescue return revenge richard robert run save school search second "
    "secret see seek sequel serial set sex ship small son soon special stop struggle student superhero supernatural "
    "suspense take team teenager three time tom town travel true try turn usa violence want white wife william work "
    "york "
)
# Of one film in two hundred or more, with the most frequent names.
FREQUENT = (
    "abandoned abuse accident accidentally accused across act actor actress actually adam addiction adopt adult "
    "affair africa african age aging air alan alcohol alcoholic alex alexander alive allen alone along already alway "
    "ambition ambitiou ancient anderson andrew angel angele anger animal ann anna anne anthology anthony anti "
    "apartment apocalypse appear army around arrest arrive art artist ask assassin assassination assistant attempt "
    "attorney attraction august aunt author award baby bad baker band bank bar barely bay beach bear beautiful "
    "beauty bed behind believe bell belong beloved ben best betrayal better beyond bill billionaire biography birth "
    "birthday bizarre blackmail blind blood bloody boat bob body bomb bond book border born boss bound box boxer "
    "boxing boyfriend brain brave break brian bride bring british broken brought brown bruce brutal bug build bus "
    "business businessman buy cabin california call camp canada cancer captain capture career carry carter case cast "
    "castle cat catch catherine catholic caught cause celebrity center century challenge champion chance character "
    "charge charle charlie charm chase chief childhood china chinese choice choose chri christian christma "
    "christopher church cia circumstance claire clark clash class classic clear close club coach coast cold colin "
    "college collin colony combat comedian comic command commander commit community company competition complete "
    "complicated computer con confront connection consequence conspiracy contact control convict convince convinced "
    "cooper cop corporation corrupt corruption cost country court cover cowboy crash crazy create creature crew "
    "criminal crisi cross cruel culture current curse cut daily dance dancer danger dangerou daniel darkness date "
    "dave davi deadly deal debt decade deep defeat demon denni depression desert desperate desperation despite "
    "destiny destroy destruction determined devastated develop devil diary different difficult dinosaur disappear "
    "disappearance disaster disease disturbing divorce doctor donald door double dragon dream drive driver drug "
    "dying dysfunctional dystopia early earth east easy eccentric ed eddie edge education edward elderly elite "
    "elizabeth emily emma emotional emotionally emperor empire employee encounter enemy enforcement english entire "
    "epic episode eric estranged ethan europe evan even event eventually every everyday everyone everything evidence "
    "evolve ewan ex examine except exciting exist existence exotic expect experience experiment expert explore "
    "explosion expose extraordinary extreme eye fact factory faith fake falling false fame familiar famou fan far "
    "farm fashion fast fbi fear federal feel fellow female festival few field fighter fighting figure final finally "
    "financial fire five flashback flee flight fly following food football forbidden foreign forest forever "
    "forgotten form fortune found four france free freedom french fresh front full fun funeral gain gang gangster "
    "garden gary gay general generation geniu george german germany ghost giant gift give goal god gold good gore "
    "gothic government grace grant grave gray greatest greed greek green grey grief ground grow growing guard guest "
    "guide guilt gun guy half hall hand handsome happen happiness happy hard harri harrison harry harsh haunted "
    "haunting head heart heaven heist helen hell henry hero hidden hide hill hire historical hit hold holiday "
    "hollywood holocaust homeless homosexuality honor hope horse hospital hostage hot hotel hour howard however huge "
    "hugh hughe hunter ian ice idea identity illegal immigrant immortal impossible incident include including "
    "increasingly india indian infidelity influence innocent insane inside inspired intelligence intelligent "
    "international interview invasion investigate investigation investigator invite involved involving iraq ireland "
    "island israel italian italy jack jackie jackson jail jamie jane japan japanese jason jealou jealousy jean jeff "
    "jennifer jeremy jerry jesse jessica jesu jew jewish jim jimmy joan job joe joel johnny johnson jon jonathan "
    "jone joseph josh journalist journey jude judge julia julie jungle justice justin karen kate keith kelly ken "
    "kevin key kick kid kidnapped kidnapping killed killing kim kind kingdom knight kristen lady lake land large "
    "larry late later laura law lawyer leader leading league least led lee left legal legend legendary leonardo "
    "lesbian less lesson let letter level lewi lgbt liam liberation lie lifelong lifestyle light like line lion lisa "
    "list literature living load loneliness lonely look looking los lose loss lot loui loved lover loving low loyal "
    "loyalty luck lucy luke lust luxury machine mad made mafia magic magical main major making male mall manage "
    "manager manhattan many map marc marie marine mark married marry martial martin mary massacre master match matt "
    "matter matthew max maybe meanwhile medical medieval mel member memory men mental mentor mess mexico middle "
    "midnight might mike military miller million millionaire mind mine miss missing mistake mob modern moment monk "
    "monkey month moon moore moral morgan morning moscow motel mountain move movie mr murderer murphy murray museum "
    "musical musician mutant naomi natalie nature navy nazi near nearly need neighbor neighborhood nelson never "
    "newspaper next nick nicola nicole nightmare nine ninja none norman north nothing novelist nuclear nudity number "
    "nurse obsessed obsession occult ocean offer office officer oil older oliver olympic once open operation "
    "opportunity opposite orphan orphanage outcast outer outlaw owen owner pain painter pair paranoia pari parker "
    "parody part partner pass passion patient patrick peace perfect performance perhap period person personal "
    "personality philip phillip phone photographer photography physical pick picture pilot pirate place plague plan "
    "plane planet plot poet poetry point poison politic political politician poor popular popularity porn portrait "
    "possession post potential poverty powerful practice pregnancy pregnant prepare presence present president press "
    "pressure prevent priest prince princess prison prisoner private problem producer product professional professor "
    "project promise prophecy prostitute prostitution protect protection prove psychiatrist psychological "
    "psychologist psychopath public pull punk puppet pursue pursuit push put quest question quickly quiet quite race "
    "rachel racing racism radio rage rain raise ralph rampage rape rare rather ray reach read ready reality realize "
    "really rebecca rebel rebellion record recruit reed reflect refuge refuse regret rekindle relation religion "
    "religiou remember remote renegade repair report reporter reputation research respect responsible restaurant "
    "result reunion reunite reveal revolution rich ride ring rise risk rival rivalry river road robbery robin "
    "robinson robot rock roger role romantic romeo room root rose ross rough round royal rule rural russell russia "
    "russian ruthless ryan sacrifice sadistic safe sail sam samuel samurai san sandra sarah satire scandal scarlett "
    "scene scheme scientist score scott screenplay sea sean season seat secretary security seduction seem self sell "
    "send sent serie serve service seth seven several sexual sexuality shadow share shark sharon sheriff shock shoot "
    "shootout shop short shot show shy sibling sick side simon simple single sister situation six skill slasher "
    "slave slavery slow smith snow social society soldier solve someone something sometime song sophisticated sort "
    "soul south soviet space spaceship spain spanish spend spent spirit sport spy stage stand standing star start "
    "state station steal step stephen steve steven stewart stone stranded strange stranger street strong stumble "
    "stunt submarine suburb subway success successful sudden suddenly suffer suicide summer sun super support "
    "survival survive surviving survivor susan suspect suspected suspicion sword sylvester system table talent "
    "talented target task taylor teach teacher technology teen teenage television tell ten tension terrible "
    "terrorism terrorist terry test texa theater theft thief thing think third thoma thompson though threat threaten "
    "threatening thrill throne throughout tie tim timothy together tony torn torture touch tough tour tower toy "
    "track trade tradition tragedy tragic train training transformation trap trapped trauma treasure treatment tree "
    "trial trick trip trouble troubled trust truth tv twin twist ultimate unable uncle uncover undercover "
    "underground understand underwater unexpected unexpectedly unfold unique unit united universe university unknown "
    "unlikely unusual upon use vacation vampire van vega vengeance version veteran victim victor video vietnam view "
    "village villain vincent violent virgin viru visit voice voodoo vow voyage wait wake walk walker wall walter "
    "ward warrior washington watch water watson wave wealthy weapon wedding week weekend well werewolf wesley wide "
    "widow widower wild wilson win winner winter wish witch within witness wizard wood word worker working worst "
    "worth wound wright write writer writing wrong younger youth zombie "
)
YEAR = re.compile(r"(?:19|20)[0-9]{2}")
WEIGHT_OF_YEARS = 0.6
WEIGHTS = {
    **dict.fromkeys(FREQUENT.split(), 0.75),
    **dict.fromkeys(COMMON.split(), 0.6),
    **dict.fromkeys(EVERYWHERE.split(), 0.5),
}


def word_weight(word: str) -> float:
    """Return the weight of a normalized word: less than 1 for a common one, and for a year."""
    return WEIGHTS.get(word) or (WEIGHT_OF_YEARS if YEAR.fullmatch(word) else 1.0)
