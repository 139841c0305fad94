// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {CreditParameters} from "src-contracts/credits/CreditParameters.sol";
import {CreditRules} from "src-contracts/credits/CreditRules.sol";
import {IComputeCredits} from "src-contracts/interfaces/IComputeCredits.sol";

/// @notice Epochs, weights and the numbers that govern them.
/// @dev ROLES: the owner turns numbers inside bounds; it can mint nothing, take nothing, and change no credit that exists. LAZY: a weight is
/// brought up to date when its runtime is next used, so nothing ever loops over runtimes or epochs. A number that is set counts at once,
/// for epochs that are over but not yet worked in as well.
abstract contract CreditSettings is Ownable2Step, IComputeCredits {
    /// @dev One slot.
    struct Epoch {
        uint32 number;
        uint40 startedAt;
        uint24 length;
        /// Credits minted for work in it, and the most that may be.
        uint80 minted;
        uint80 cap;
    }

    /// @dev One slot.
    struct Runtime {
        /// As of the begin of `epoch`, billionths; zero: never touched.
        uint32 weight;
        uint32 epoch;
        /// Credits (wei) that a unit earns at weight one.
        uint56 perUnit;
        /// Fees of `epoch` that credits were minted against, in millionths of a credit, and the same times their pressure.
        uint48 fees;
        uint88 pressures;
    }

    /// @dev One slot.
    struct Settings {
        uint32 target;
        uint32 least;
        uint32 most;
        uint64 offer;
    }

    /// @notice Settles jobs and keeps receipts.
    address public immutable MARKET;
    /// @notice DPU.
    address public immutable TOKEN;
    /// @notice The length of an epoch at deployment, seconds.
    uint24 public immutable FIRST_EPOCH_LENGTH;

    Epoch internal _epoch;
    Settings internal _settings;
    mapping(uint8 runtime => Runtime) internal _runtimes;
    mapping(address currency => uint256) internal _rates;

    constructor(address market, address token, uint24 epochLength) {
        require(market != address(0) && token != address(0), AddressZero());
        CreditParameters.checkEpoch(epochLength, 0);
        MARKET = market;
        TOKEN = token;
        FIRST_EPOCH_LENGTH = epochLength;
        _epoch = Epoch(0, uint40(block.timestamp), epochLength, 0, CreditParameters.CAP);
        emit EpochRolled(0, uint40(block.timestamp));
        emit EpochLengthSet(epochLength);
        emit CapSet(CreditParameters.CAP);
        _settings =
            Settings(CreditParameters.TARGET, CreditParameters.LEAST, CreditParameters.MOST, CreditParameters.OFFER);
        emit TargetSet(CreditParameters.TARGET);
        emit WeightBoundsSet(CreditParameters.LEAST, CreditParameters.MOST);
        emit OfferSet(CreditParameters.OFFER);
        _setPerUnit(CreditParameters.FIRST_RUNTIME, CreditParameters.FIRST_PER_UNIT);
        _rates[token] = CreditParameters.DPU_RATE;
        emit RateSet(token, CreditParameters.DPU_RATE);
    }

    /* EPOCHS */

    /// @inheritdoc IComputeCredits
    function roll() external {
        uint256 endsAt = uint256(_epoch.startedAt) + _epoch.length;
        require(block.timestamp >= endsAt, EpochRunning(endsAt));
        _rollOver();
    }

    /// @inheritdoc IComputeCredits
    function updateWeights(uint8[] calldata runtimes) external {
        uint32 number = _rollOver().number;
        for (uint256 i; i < runtimes.length; ++i) {
            _runtimes[runtimes[i]] = _bringUp(runtimes[i], number);
        }
    }

    /* GOVERNANCE */

    /// @inheritdoc IComputeCredits
    function setRate(address currency, uint256 rate) external onlyOwner {
        require(currency != address(0), AddressZero());
        // Fees in credits come back to the treasury as they are; minting against them would make new ones of old ones.
        require(currency != address(this), CreditsEarnNoCredits());
        CreditParameters.checkRate(rate, currency == TOKEN);
        if (currency == TOKEN) CreditParameters.checkReturn(rate, _settings.offer);
        _rates[currency] = rate;
        emit RateSet(currency, rate);
    }

    /// @inheritdoc IComputeCredits
    function setPerUnit(uint8 runtime, uint56 perUnit) external onlyOwner {
        _setPerUnit(runtime, perUnit);
    }

    /// @inheritdoc IComputeCredits
    function setEpochLength(uint24 length) external onlyOwner {
        CreditParameters.checkEpoch(length, FIRST_EPOCH_LENGTH);
        _rollOver();
        _epoch.length = length;
        emit EpochLengthSet(length);
    }

    /// @inheritdoc IComputeCredits
    function setCap(uint80 cap) external onlyOwner {
        CreditParameters.checkCap(cap);
        _epoch.cap = cap;
        emit CapSet(cap);
    }

    /// @inheritdoc IComputeCredits
    function setTarget(uint32 target) external onlyOwner {
        CreditParameters.checkTarget(target);
        _settings.target = target;
        emit TargetSet(target);
    }

    /// @inheritdoc IComputeCredits
    function setWeightBounds(uint32 least, uint32 most) external onlyOwner {
        CreditParameters.checkWeights(least, most);
        _settings.least = least;
        _settings.most = most;
        emit WeightBoundsSet(least, most);
    }

    /// @inheritdoc IComputeCredits
    function setOffer(uint64 offer) external onlyOwner {
        CreditParameters.checkOffer(offer);
        CreditParameters.checkReturn(_rates[TOKEN], offer);
        _settings.offer = offer;
        emit OfferSet(offer);
    }

    /* VIEWS */

    /// @inheritdoc IComputeCredits
    function epoch()
        external
        view
        returns (uint32 number, uint256 startedAt, uint256 endsAt, uint256 minted, uint256 cap)
    {
        Epoch memory e = _epochNow();
        return (e.number, e.startedAt, uint256(e.startedAt) + e.length, e.minted, e.cap);
    }

    /// @inheritdoc IComputeCredits
    function weightOf(uint8 runtime) external view returns (uint256) {
        return _runtimeAt(runtime, _epochNow().number).weight;
    }

    /// @inheritdoc IComputeCredits
    function runtimeOf(uint8 runtime) external view returns (uint256 perUnit, uint256 fees, uint256 pressures) {
        Runtime memory r = _runtimeAt(runtime, _epochNow().number);
        return (r.perUnit, r.fees, r.pressures);
    }

    /// @inheritdoc IComputeCredits
    function rateOf(address currency) external view returns (uint256) {
        return _rates[currency];
    }

    /// @inheritdoc IComputeCredits
    function settings() external view returns (uint32 target, uint32 least, uint32 most, uint64 offer) {
        Settings memory s = _settings;
        return (s.target, s.least, s.most, s.offer);
    }

    /* INTERNAL */

    /// @dev The stored epoch, or the one that has begun since, however many have passed.
    function _epochNow() internal view returns (Epoch memory e) {
        e = _epoch;
        uint256 passed = (block.timestamp - e.startedAt) / e.length;
        if (passed == 0) return e;
        // forge-lint: disable-start(unsafe-typecast)
        e.number += uint32(passed); // even at one second, enough for 136 years
        e.startedAt += uint40(passed * e.length); // ≤ now
        // forge-lint: disable-end(unsafe-typecast)
        e.minted = 0;
    }

    function _rollOver() internal returns (Epoch memory e) {
        uint32 before = _epoch.number;
        e = _epochNow();
        if (e.number == before) return e;
        _epoch = e;
        emit EpochRolled(e.number, e.startedAt);
    }

    /// @dev The runtime as of the begin of epoch `number`. The epoch that it was last used in moves its weight by the rule, those after it
    /// were without fees. New bounds hold at once.
    function _runtimeAt(uint8 runtime, uint32 number) internal view returns (Runtime memory r) {
        r = _runtimes[runtime];
        Settings memory s = _settings;
        uint256 weight = r.weight == 0 ? CreditParameters.ONE : r.weight;
        if (r.epoch != number) {
            uint256 cap = _epoch.cap / CreditParameters.MICRO;
            weight = CreditRules.next(weight, r.fees, r.pressures, cap, s.target, s.least, s.most);
            weight = CreditRules.rested(weight, number - r.epoch - 1);
            (r.epoch, r.fees, r.pressures) = (number, 0, 0);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        r.weight = uint32(CreditRules.clamp(weight, s.least, s.most)); // at most four
    }

    /// @dev The same, said aloud. The caller stores it.
    function _bringUp(uint8 runtime, uint32 number) internal returns (Runtime memory r) {
        Runtime memory before = _runtimes[runtime];
        r = _runtimeAt(runtime, number);
        if (r.weight != before.weight) {
            emit WeightMoved(runtime, number, r.weight, before.fees, before.pressures);
        }
    }

    /// @dev Counts a lease's fee (millionths of a credit) and pressure. One that the sums cannot hold leaves no trace in them.
    function _count(Runtime memory r, uint256 fee, uint256 u) internal pure {
        uint256 fees = r.fees + fee;
        if (fees > type(uint48).max) return;
        // forge-lint: disable-start(unsafe-typecast)
        r.fees = uint48(fees);
        r.pressures += uint88(fee * u); // ≤ 2^48 · 1e9
        // forge-lint: disable-end(unsafe-typecast)
    }

    function _setPerUnit(uint8 runtime, uint56 perUnit) private {
        require(runtime != 0 && runtime <= Parameters.MAX_RUNTIME, RuntimeUnknown(runtime));
        CreditParameters.checkPerUnit(perUnit);
        _runtimes[runtime] = _bringUp(runtime, _rollOver().number);
        _runtimes[runtime].perUnit = perUnit;
        emit PerUnitSet(runtime, perUnit);
    }
}
