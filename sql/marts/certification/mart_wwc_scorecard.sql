-- Each row is one criterion of What Works Cities for one city.
with tested as (
    select
        city,
        standard,
        criterion,
        max(scored_on) as scored_on,
        count(*) as test_count,
        count(is_met) as measured_test_count,
        count(*) filter (where is_met) as met_test_count,
        string_agg(distinct evidence_table, ', ' order by evidence_table) as evidence_tables
    from marts.fct_criterion_evidence
    group by city, standard, criterion
),

artefacts as (
    select
        city,
        criterion,
        count(*) as artefact_count,
        string_agg(artefact, '; ' order by artefact) as artefacts,
        max(parse_date(dated_on)) as newest_on,
        string_agg(source, '; ' order by source) as sources
    from seeds.wwc_artefacts
    group by city, criterion
),

classified as (
    select
        cities.city,
        criteria.standard,
        criteria.criterion,
        parse_integer(criteria.position) as position,
        criteria.practice,
        criteria.title,
        case
            when criteria.measurability = 'not_measurable' and attestations.statement is not null then 'attested'
            else criteria.measurability
        end as classification,
        tested.scored_on,
        coalesce(tested.test_count, 0) as test_count,
        coalesce(tested.measured_test_count, 0) as measured_test_count,
        coalesce(tested.met_test_count, 0) as met_test_count,
        tested.evidence_tables,
        artefacts.artefact_count,
        artefacts.artefacts,
        artefacts.newest_on,
        artefacts.sources,
        attestations.statement,
        attestations.attested_by,
        parse_date(attestations.attested_on) as attested_on,
        attestations.source as attestation_source
    from marts.dim_cities as cities
    cross join seeds.wwc_criteria as criteria
    left join tested on cities.city = tested.city and criteria.standard = tested.standard and criteria.criterion = tested.criterion
    left join artefacts on cities.city = artefacts.city and criteria.criterion = artefacts.criterion
    left join seeds.wwc_attestations as attestations
        on cities.city = attestations.city and criteria.standard = attestations.standard
        and criteria.criterion = attestations.criterion
)

select
    hash_id([city, standard, criterion]) as criterion_id,
    city,
    standard,
    criterion,
    position,
    practice,
    title,
    classification,
    case
        when classification = 'measured' and met_test_count < measured_test_count then 0
        when classification = 'measured' and measured_test_count = test_count then 1
        when classification = 'partly_measured' and artefact_count > 0 then 1
    end as points,
    test_count,
    measured_test_count,
    met_test_count,
    case classification
        when 'measured'
            then cast(met_test_count as varchar) || ' of ' || cast(test_count as varchar) || ' tests are met, '
                || cast(test_count - measured_test_count as varchar) || ' cannot be measured'
        when 'partly_measured'
            then coalesce(
                'Exists, its content is not judged: ' || artefacts || coalesce(' (' || cast(newest_on as varchar) || ')', ''),
                'No document is recorded yet'
            )
        when 'attested' then statement
        else 'Cannot be measured from data, and nobody has attested it'
    end as evidence,
    coalesce(evidence_tables, sources, attestation_source) as evidence_source,
    attested_by,
    attested_on
from classified
