-- Run by each sensor and schedule when it has decided: written only where the decision is another than the last.
insert into pipeline.triggers as t (name, job, work, tries, launched_at, given_up_at, says, decided_at)
values (:name, :job, :work, :tries, :launched_at, case when :gave_up then cast(:moment as timestamptz) end, :says, :moment)
on conflict (name) do update set
    job = excluded.job, work = excluded.work, tries = excluded.tries, launched_at = excluded.launched_at,
    given_up_at = case when excluded.given_up_at is not null then coalesce(t.given_up_at, excluded.given_up_at) end,
    says = excluded.says, decided_at = excluded.decided_at
where (t.work, t.tries, t.launched_at, t.says) is distinct from
    (excluded.work, excluded.tries, excluded.launched_at, excluded.says)
