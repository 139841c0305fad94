// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {StdUtils} from "forge-std/StdUtils.sol";
import {Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {RulesLib} from "src-contracts/types/Rules.sol";
import {ICredits} from "test/contracts/credits/CreditsTest.sol";
import {IReceiptMaker} from "test/contracts/credits/HonestReceipts.sol";
import {IDpu} from "test/contracts/lib/IDpu.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

/// @dev Turns fuzzed numbers into calls that must succeed, and keeps its own books of what must be true.
contract CreditsHandler is CommonBase, StdUtils {
    uint256 private constant ONE = 1e9;
    uint24 private constant DAY = 1 days;

    ICredits private immutable credits;
    IReceiptMaker private immutable market;
    IDpu private immutable dpu;
    address private immutable governor;

    address[3] public owners = [address(0xA11CE), address(0xB0B), address(0xCA401)];
    bytes32 public constant JOB = keccak256("job");

    /// What the books say.
    uint256 public earned;
    uint256 public bought;
    uint256 public paid;
    uint256 public burnt;
    /// Fees of everything that was minted for, as credits.
    uint256 public feeValue;
    uint256 public replays;
    /// Per epoch: minted for work, and the largest cap that was in force.
    mapping(uint256 epoch => uint256) public mintedIn;
    mapping(uint256 epoch => uint256) public capIn;
    /// Set when something happened that must never happen.
    string public broken;

    /// The last receipt that was used.
    Terms private lastTerms;
    Lease private lastLease;
    Result private lastResult;
    uint64 private salts;

    constructor(ICredits credits_, IReceiptMaker market_, IDpu dpu_, address governor_) {
        (credits, market, dpu, governor) = (credits_, market_, dpu_, governor_);
        dpu_.approve(address(credits_), type(uint256).max);
    }

    function mint(uint256 seed, uint96 price, uint16 count, uint64 units, bool together) external {
        Terms memory t = _terms(uint8(bound(seed, 1, 2)), uint16(bound(seed >> 8, 0, 1_000)));
        Lease memory l;
        l.count = uint16(bound(count, 1, 64));
        l.price = uint96(bound(price, t.minPrice, t.maxPrice));
        l.node = uint32(bound(seed >> 16, 1, 9));
        Result memory r = Result(keccak256(abi.encode(seed)), uint64(bound(units, 0, 1e12)), bytes32(seed));
        uint256 number = _noteCap();
        address owner = owners[seed % 3];
        market.reveal(t.pack(), l.pack(), r, owner);
        (Lease[] memory leases, Result[] memory results) = (new Lease[](1), new Result[](1));
        (leases[0], results[0]) = (l, r);

        uint256 before = credits.balanceOf(owner);
        uint256 minted;
        if (together) {
            vm.prank(owner); // only the owner may take less than was earned
            minted = credits.settleAndMint(t.pack(), Packing.pack(leases), results);
        } else {
            market.settle(t.pack(), Packing.pack(leases), results);
            vm.prank(owner);
            minted = credits.mint(t.pack(), Packing.pack(leases), results);
        }

        uint256 fee = uint256(l.price) * l.count * t.rules.feeBps() / 10_000;
        if (minted > fee) broken = "more was minted than the fee";
        if (credits.balanceOf(owner) != before + minted) broken = "the owner did not get what was minted";
        earned += minted;
        feeValue += fee;
        mintedIn[number] += minted;
        (lastTerms, lastLease, lastResult) = (t, l, r);
    }

    /// @dev Tries the last receipt again, both ways.
    function replay() external {
        if (lastTerms.salt == 0) return;
        (Lease[] memory leases, Result[] memory results) = (new Lease[](1), new Result[](1));
        (leases[0], results[0]) = (lastLease, lastResult);
        try credits.mint(lastTerms.pack(), Packing.pack(leases), results) {
            broken = "a receipt counted twice";
        } catch {
            ++replays;
        }
        try credits.settleAndMint(lastTerms.pack(), Packing.pack(leases), results) {
            broken = "a receipt was settled twice";
        } catch {
            ++replays;
        }
    }

    function buy(uint256 amount, uint256 who) external {
        amount = bound(amount, 1, 10_000e18);
        bought += amount;
        paid += credits.buy(amount, owners[who % 3], type(uint256).max);
    }

    function prioritize(uint256 amount, uint256 who) external {
        address owner = owners[who % 3];
        uint256 balance = credits.balanceOf(owner);
        if (balance == 0) return;
        amount = bound(amount, 1, balance);
        vm.prank(owner);
        credits.prioritize(JOB, amount);
        burnt += amount;
    }

    /// @dev Time goes on; every weight may move by an eighth for each epoch that passed, and stays within its bounds.
    function pass(uint256 time) external {
        uint256[2] memory before = [credits.weightOf(1), credits.weightOf(2)];
        (uint32 from,,,,) = credits.epoch();
        vm.warp(vm.getBlockTimestamp() + bound(time, 1, 2 days));
        (uint32 to,,,,) = credits.epoch();
        for (uint8 i; i < 2; ++i) {
            _checkWeight(before[i], credits.weightOf(i + 1), to - from);
        }
        _noteCap();
    }

    function roll() external {
        (uint32 number,, uint256 endsAt,,) = credits.epoch();
        uint256 weight = credits.weightOf(1);
        if (vm.getBlockTimestamp() >= endsAt) broken = "the epoch is not the one of the time";
        uint8[] memory runtimes = new uint8[](3);
        (runtimes[0], runtimes[1], runtimes[2]) = (1, 2, 2);
        credits.updateWeights(runtimes);
        (uint32 after_,,,,) = credits.epoch();
        if (after_ != number || credits.weightOf(1) != weight) broken = "an update changed what was so already";
    }

    function setCap(uint256 cap) external {
        vm.prank(governor);
        credits.setCap(uint80(bound(cap, 1e18, 1_000_000e18)));
        _noteCap();
    }

    function setTarget(uint256 target) external {
        vm.prank(governor);
        credits.setTarget(uint32(bound(target, 0.25e9, 0.5e9)));
    }

    function _checkWeight(uint256 before, uint256 now_, uint256 epochs) private {
        if (now_ < 0.5e9 || now_ > 4e9) broken = "a weight left its bounds";
        uint256 most = before;
        uint256 least = before;
        for (uint256 i; i < epochs; ++i) {
            (most, least) = (most + most / 8, least - least / 8);
        }
        if (now_ > most || now_ < least) broken = "a weight moved by more than an eighth in an epoch";
    }

    function _noteCap() private returns (uint256 number) {
        uint256 cap;
        (number,,,, cap) = credits.epoch();
        if (cap > capIn[number]) capIn[number] = cap;
    }

    function _terms(uint8 runtime, uint16 feeBps) private returns (Terms memory t) {
        t.currency = address(dpu);
        (t.minPrice, t.maxPrice) = (1e18, 100_000e18);
        (t.shards, t.maxLease, t.runtime, t.seats) = (64, 64, runtime, 1);
        Params memory p;
        p.feeBps = feeBps;
        t.rules = RulesLib.pack(p, 1);
        t.expiry = uint40(vm.getBlockTimestamp() + 1 hours);
        t.salt = ++salts;
    }
}
