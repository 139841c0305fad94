// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Test} from "forge-std/Test.sol";
import {IComputeCredits} from "src-contracts/interfaces/IComputeCredits.sol";
import {Lease as PackedLease, Result} from "src-contracts/types/Lease.sol";
import {Params} from "src-contracts/types/Params.sol";
import {RulesLib} from "src-contracts/types/Rules.sol";
import {IReceiptMaker} from "test/contracts/credits/HonestReceipts.sol";
import {IDpu} from "test/contracts/lib/IDpu.sol";
import {Lease, Packing, Terms} from "test/contracts/lib/Readable.sol";

interface ICredits is IComputeCredits, IERC20, IERC20Permit {
    function MARKET() external view returns (address);

    function TOKEN() external view returns (address);

    function FIRST_EPOCH_LENGTH() external view returns (uint24);
}

/// @dev Credits on a market of the test's choice. A lease of `_terms` is one shard at 1.25 DPU, the fee 3 %, so its credits are
/// 1e13 · units, at most 0.0375. Helpers only move; tests assert.
abstract contract CreditsTest is Test {
    /// @dev Leases of one job with their results, as calldata needs them.
    struct Batch {
        Terms t;
        Lease[] leases;
        Result[] results;
    }

    uint256 internal constant T0 = 1_800_000_000;
    uint256 internal constant ONE = 1e9;
    uint256 internal constant DAY = 1 days;
    /// @dev Units of a default lease: they are worth 0.01 credits.
    uint64 internal constant UNITS = 1_000;
    uint8 internal constant WASM = 1;

    IReceiptMaker internal immutable market;
    ICredits internal credits;
    IDpu internal dpu;

    address internal governor = makeAddr("governor");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal stranger = makeAddr("stranger");

    uint64 private _salts;

    /// @param market_ Whatever settles work and keeps receipts.
    constructor(IReceiptMaker market_) {
        market = market_;
    }

    function setUp() public virtual {
        vm.warp(T0);
        dpu = IDpu(vm.deployCode("DpuToken.sol:DpuToken", abi.encode(address(this))));
        credits = _on(address(market));
        market.setCredits(address(credits));
    }

    /// @dev Fresh credits on another market.
    function _on(address market_) internal returns (ICredits) {
        return
            ICredits(
                vm.deployCode("ComputeCredits.sol:ComputeCredits", abi.encode(market_, address(dpu), governor, DAY))
            );
    }

    /* DEFAULTS */

    /// @dev A job in DPU, price 1 … 2, open to the draw, on wasm.
    function _terms() internal returns (Terms memory t) {
        t.requester = makeAddr("requester");
        t.currency = address(dpu);
        t.minPrice = 1e18;
        t.maxPrice = 2e18;
        t.shards = 64;
        t.maxLease = 64;
        t.runtime = WASM;
        t.seats = 1;
        t.rules = RulesLib.pack(_params(300), 1);
        t.expiry = uint40(vm.getBlockTimestamp() + 1 hours);
        t.exec = 5 minutes;
        t.spec = keccak256("spec");
        t.salt = ++_salts;
    }

    function _params(uint16 feeBps) internal pure returns (Params memory p) {
        p.feeBps = feeBps;
    }

    function _batch(Terms memory t, uint256 length) internal pure returns (Batch memory b) {
        (b.t, b.leases, b.results) = (t, new Lease[](length), new Result[](length));
        for (uint256 i; i < length; ++i) {
            b.leases[i] = Lease(uint32(i), 1, uint32(7 + i), 1.25e18, 0, 0, 0, keccak256("commitment"), 5);
            b.results[i] = Result(keccak256(abi.encode(i)), UNITS, keccak256("manifest"));
        }
    }

    function _one(Terms memory t, uint96 price, uint16 count, uint64 units) internal pure returns (Batch memory b) {
        b = _batch(t, 1);
        (b.leases[0].price, b.leases[0].count, b.results[0].units) = (price, count, units);
    }

    /* WORK */

    function _reveal(Batch memory b, address owner) internal {
        for (uint256 i; i < b.leases.length; ++i) {
            market.reveal(b.t.pack(), b.leases[i].pack(), b.results[i], owner);
        }
    }

    function _settle(Batch memory b, address owner) internal {
        _reveal(b, owner);
        market.settle(b.t.pack(), _packed(b), b.results);
    }

    function _mint(Batch memory b) internal returns (uint256) {
        return credits.mint(b.t.pack(), _packed(b), b.results);
    }

    /// @dev Settles and mints one lease for alice.
    function _earn(uint96 price, uint16 count, uint64 units) internal returns (uint256) {
        Batch memory b = _one(_terms(), price, count, units);
        _settle(b, alice);
        return _mint(b);
    }

    function _packed(Batch memory b) internal pure returns (PackedLease[] memory) {
        return Packing.pack(b.leases);
    }

    function _id(Terms memory t) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DPU Market"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, _structHash(t)));
    }

    /// @dev Written out in two halves, field by field, so that it checks the contract's own hashing.
    function _structHash(Terms memory t) private pure returns (bytes32) {
        bytes32 typehash = keccak256(
            "Terms(address requester,address currency,uint96 minPrice,uint96 maxPrice,uint96 bond,uint32 shards,"
            "uint16 maxLease,uint8 runtime,uint8 tier,uint8 seats,bool direct,bool tolerant,uint16 auditBps,uint152 rules,uint32 node,"
            "uint40 start,uint40 expiry,uint32 ramp,uint32 exec,uint32 window,bytes32 spec,bytes32 afterJob,uint64 salt)"
        );
        bytes memory head = abi.encode(typehash, t.requester, t.currency, t.minPrice, t.maxPrice, t.bond, t.shards);
        bytes memory middle =
            abi.encode(t.maxLease, t.runtime, t.tier, t.seats, t.direct, t.tolerant, t.auditBps, t.rules, t.node);
        bytes memory tail = abi.encode(t.start, t.expiry, t.ramp, t.exec, t.window, t.spec, t.afterJob, t.salt);
        return keccak256(bytes.concat(head, middle, tail));
    }

    /* TIME */

    function _pass(uint256 epochs) internal {
        vm.warp(vm.getBlockTimestamp() + epochs * DAY);
    }

    /* READING */

    function _minted() internal view returns (uint256 minted) {
        (,,, minted,) = credits.epoch();
    }

    function _number() internal view returns (uint32 number) {
        (number,,,,) = credits.epoch();
    }

    function _setCap(uint80 cap) internal {
        vm.prank(governor);
        credits.setCap(cap);
    }
}
