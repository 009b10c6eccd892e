namespace Backchannel.StackExchangeRedis;

/// <summary>
/// What has to happen in one step. A name is a hash: of <c>replica:attachment</c>, <c>generation:instance</c>, few and short enough for
/// Redis to keep them in one piece. The replicas are another: of the id, the end of the lease in ms, the state and the address.
/// </summary>
internal static class RedisScripts
{
    /// <summary>The field of the replicas' hash that says which epoch it is. No id has a colon.</summary>
    public const string EpochField = ":epoch";

    /// <summary>Key: the replicas. Arguments: id, lease in ms, state, address, an epoch if there is none. Answer: epoch, whether there was no lease, and id and value of each that has one.</summary>
    public const string Renew =
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local epoch = redis.call('HGET', KEYS[1], ':epoch')
        if not epoch then
          epoch = ARGV[5]
          redis.call('HSET', KEYS[1], ':epoch', epoch)
        end
        local answer = { epoch, 1 }
        local all = redis.call('HGETALL', KEYS[1])
        for i = 1, #all, 2 do
          local id, value = all[i], all[i + 1]
          local ends = tonumber(string.match(value, '^(%d+) '))
          if id == ':epoch' then
          elseif not ends or ends <= now then
            redis.call('HDEL', KEYS[1], id)
          elseif id == ARGV[1] then
            answer[2] = 0
          else
            answer[#answer + 1] = id
            answer[#answer + 1] = value
          end
        end
        local value = string.format('%.0f', now + ARGV[2]) .. ' ' .. ARGV[3] .. ' ' .. ARGV[4]
        redis.call('HSET', KEYS[1], ARGV[1], value)
        answer[#answer + 1] = ARGV[1]
        answer[#answer + 1] = value
        return answer
        """;

    /// <summary>
    /// Keys: the name, the replicas. Arguments: replica, attachment, generation or 0, age in µs, instance, whether alone, how many at most, how long the key lives in ms, the time in µs from which on it is too
    /// late or 0, the channel to tell, the name. Answer: the result or -1 if it is too late, the generation, the largest generation, the time in µs.
    /// </summary>
    public const string Register =
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local function text(number) return string.format('%.0f', number) end
        local last = tonumber(ARGV[9])
        if last > 0 and now > last then
          return { '-1', '0', '0', text(now) }
        end
        if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
          redis.call('DEL', KEYS[1])
        end
        local live = { [ARGV[1]] = true }
        local function lives(replica)
          if live[replica] == nil then
            local value = redis.call('HGET', KEYS[2], replica)
            local ends = value and tonumber(string.match(value, '^(%d+) '))
            live[replica] = ends and ends * 1000 > now or false
          end
          return live[replica]
        end
        local own = ARGV[1] .. ':' .. ARGV[2]
        local kept, written, largest, others = nil, nil, 0, 0
        local same, older = {}, false
        local all = redis.call('HGETALL', KEYS[1])
        local records = {}
        for i = 1, #all, 2 do
          local field, value = all[i], all[i + 1]
          local replica = string.match(field, '^([^:]+):%d+$')
          local generation, instance = string.match(value, '^(%d+):(.*)$')
          if generation and #generation > 16 then
            generation = nil
          end
          if field == own then
            written = value
            kept = generation and tonumber(generation)
          elseif not replica or not generation or not lives(replica) then
            redis.call('HDEL', KEYS[1], field)
          else
            generation = tonumber(generation)
            largest = math.max(largest, generation)
            records[#records + 1] = { field, generation, ARGV[5] ~= '' and instance == ARGV[5] }
          end
        end
        local generation = tonumber(ARGV[3])
        if generation == 0 then
          if kept then
            generation = kept
          elseif ARGV[4] == '0' then
            generation = math.max(now, largest + 1)
          else
            generation = math.max(1, now - ARGV[4])
          end
        end
        local result = 0
        for _, record in ipairs(records) do
          if record[3] then
            same[#same + 1] = record[1]
            if record[2] > generation then
              result = 1
            end
          else
            others = others + 1
            older = older or record[2] < generation
          end
        end
        if result == 0 and ARGV[6] == '1' and older then
          result = 2
        elseif result == 0 and others >= tonumber(ARGV[7]) then
          result = 3
        end
        if result ~= 0 then
          redis.call('HDEL', KEYS[1], own)
        else
          local value = text(generation) .. ':' .. ARGV[5]
          for _, field in ipairs(same) do
            redis.call('HDEL', KEYS[1], field)
          end
          if written ~= value then
            redis.call('HSET', KEYS[1], own, value)
          end
          redis.call('PEXPIRE', KEYS[1], ARGV[8])
          if written ~= value or #same > 0 then
            redis.call('PUBLISH', ARGV[10], ARGV[11])
          end
        end
        return { tostring(result), text(generation), text(math.max(generation, largest)), text(now) }
        """;

    /// <summary>Key: the name. Arguments: replica and attachment, the channel to tell, the name.</summary>
    public const string Unregister =
        """
        if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then
          redis.call('PUBLISH', ARGV[2], ARGV[3])
        end
        return 0
        """;
}
