-- Run by search_quality: keeps a measurement; the pictures of those before it go.
with before as (
    update pipeline.search_quality set map = null, histogram = null
    where set_id = :set_id and (map is not null or histogram is not null)
)
insert into pipeline.search_quality (
    set_id, measured_at, content, vectors, recall_at_10, least_filtered_recall_at_10, p50_ms, p95_ms, exact_ms,
    collection_films, collection_recall_at_10, golden_pairs, golden_pairs_far, random_similarity, nearest_similarity,
    tenth_similarity, loose, related, very_similar, searches, places, map, histogram)
values (
    :set_id, :measured_at, :content, :vectors, :recall_at_10, :least_filtered_recall_at_10, :p50_ms, :p95_ms, :exact_ms,
    :collection_films, :collection_recall_at_10, :golden_pairs, :golden_pairs_far, :random_similarity,
    :nearest_similarity, :tenth_similarity, :loose, :related, :very_similar, cast(:searches as jsonb),
    cast(:places as jsonb), :map, :histogram)
