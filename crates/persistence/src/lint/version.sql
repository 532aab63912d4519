-- Minor versions before these apply policies wrongly in known cases: CVE-2024-10976 (policies and re-planned queries)
-- and CVE-2025-8713 (statistics read past policies) among them.
select 'PostgreSQL ' || current_setting('server_version'), case when v.number < 130000
    then 'is not supported; use 13 or newer' else 'has known defects in row-level security; update to its latest minor version' end
from (select current_setting('server_version_num')::integer) as v (number)
where v.number < coalesce((
    select first_sound from (values (13, 130022), (14, 140019), (15, 150014), (16, 160010), (17, 170006)) as m (major, first_sound)
    where m.major = v.number / 10000
), 130000)
